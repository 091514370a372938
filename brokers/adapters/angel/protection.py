"""The limit that a market order leaves with: Angel takes no raw market order from an algorithm.

How far beyond the last price it may trade follows the market price protection that Indian brokers
publish: the dearer the instrument, the narrower in percent; options wider than the rest.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from brokers.gateway import InstrumentRef
from brokers.terms import Side

# (last price below, percent)
_SHARES = ((Decimal(100), Decimal(2)), (Decimal(500), Decimal(1)))
_SHARES_ABOVE = Decimal("0.5")
_OPTIONS = (
    (Decimal(10), Decimal(5)),
    (Decimal(100), Decimal(3)),
    (Decimal(500), Decimal(2)),
)
_OPTIONS_ABOVE = Decimal(1)
_HUNDRED = Decimal(100)


def protected_price(instrument: InstrumentRef, *, side: Side, last: Decimal) -> Decimal:
    """Return the worst price the order accepts, on the tick, outward, at least one tick away."""
    tick = instrument.tick_size
    reach = last * _percent(instrument, last) / _HUNDRED
    if side is Side.BUY:
        steps = ((last + reach) / tick).to_integral_value(ROUND_CEILING)
    else:
        steps = max(((last - reach) / tick).to_integral_value(ROUND_FLOOR), Decimal(1))
    return steps * tick


def _percent(instrument: InstrumentRef, last: Decimal) -> Decimal:
    is_option = instrument.instrument_type.is_option
    slabs, above = (_OPTIONS, _OPTIONS_ABOVE) if is_option else (_SHARES, _SHARES_ABOVE)
    return next((percent for below, percent in slabs if last < below), above)

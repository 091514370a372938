"""How far a market order may run from the last price: market orders are limits in disguise.

Exchanges' members no longer send naked market orders: each becomes a limit at the last price and
a protection percentage, and what is not filled rests there. The percentages are this broker's
policy, after Kite's published market protection table.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from brokers.terms import InstrumentType, Side

# (price below, percent): the last row has no upper end.
_SHARES = ((Decimal(100), Decimal("2")), (Decimal(500), Decimal("1")), (None, Decimal("0.5")))
_OPTIONS = (
    (Decimal(10), Decimal("5")),
    (Decimal(100), Decimal("3")),
    (Decimal(500), Decimal("2")),
    (None, Decimal("1")),
)


def protection_percent(instrument_type: InstrumentType, price: Decimal) -> Decimal:
    rows = _OPTIONS if instrument_type.is_option else _SHARES
    return next(percent for below, percent in rows if below is None or price < below)


def protected_price(
    last: Decimal, *, side: Side, instrument_type: InstrumentType, tick_size: Decimal
) -> Decimal:
    """Return the worst price a market order may trade at, on a tick, at least one tick wide."""
    width = last * protection_percent(instrument_type, last) / 100
    if side is Side.BUY:
        return ((last + max(width, tick_size)) / tick_size).to_integral_value(
            ROUND_FLOOR
        ) * tick_size
    lowest = ((last - max(width, tick_size)) / tick_size).to_integral_value(ROUND_CEILING)
    return max(lowest * tick_size, tick_size)

"""How much a signal trades: an equal share of the allocation per instrument, in whole lots."""

from decimal import ROUND_DOWN, Decimal

from market.models import Instrument

_PAISA = Decimal("0.01")


def share_of(allocation: Decimal, *, instruments: int) -> Decimal:
    """Return one instrument's part of the allocation, rounded down to the paisa."""
    return (allocation / instruments).quantize(_PAISA, rounding=ROUND_DOWN)


def entry_quantity(instrument: Instrument, *, share: Decimal, price: Decimal) -> int:
    """Return how many units the share buys at this price, in whole lots; 0: not even one lot.

    At most the freeze quantity: a strategy enters with one order.
    """
    units = int(share / price)
    if instrument.freeze_quantity is not None:
        units = min(units, instrument.freeze_quantity)
    return units // instrument.lot_size * instrument.lot_size

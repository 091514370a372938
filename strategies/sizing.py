"""How much a signal trades: an equal share of the allocation per instrument, in whole lots."""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from market.models import Instrument
from orders.slicing import largest_entry

_PAISA = Decimal("0.01")


def share_of(allocation: Decimal, *, instruments: int) -> Decimal:
    """Return one instrument's part of the allocation, rounded down to the paisa."""
    return (allocation / instruments).quantize(_PAISA, rounding=ROUND_DOWN)


def entry_quantity(instrument: Instrument, *, share: Decimal, price: Decimal, at: datetime) -> int:
    """Return how many units the share buys at this price, in whole lots; 0: not even one lot.

    At most what one entry may ask for in the slices of the day's freeze quantity.
    """
    units, most = int(share / price), largest_entry(instrument, at=at)
    if most is not None:
        units = min(units, most)
    return units // instrument.lot_size * instrument.lot_size

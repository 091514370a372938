"""Cut a quantity into the orders an exchange takes: whole lots, up to the freeze quantity."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from brokers.venue import IST, CalendarUnknown, installed_venue
from market.models import Instrument
from market.rules.freeze import freeze_quantity
from operations.figures import rupees
from orders.requests import OrderRequest
from orders.validation import OrderInvalid

# An entry that needs more is refused; an exit goes in as many as it takes.
MOST_SLICES = 10
# A typed quantity that needs more is a slip of the finger, and is not sliced: as one order it is
# refused for its size. The exit of a position is not typed, so this does not bound it.
_MOST_ORDERS = 1000


@dataclass(frozen=True, slots=True)
class Slices:
    """``whole`` units in orders of at most ``largest``; ``odd_lot`` no order can carry."""

    whole: int
    largest: int
    odd_lot: int

    @property
    def count(self) -> int:
        return -(-self.whole // self.largest)

    @property
    def quantities(self) -> tuple[int, ...]:
        """What each order carries, the largest first."""
        full, rest = divmod(self.whole, self.largest)
        return (self.largest,) * full + ((rest,) if rest else ())


def slices_of(quantity: int, *, lot: int, freeze: int | None) -> Slices:
    """Cut a quantity into the fewest orders of whole lots.

    A freeze quantity below one lot would let nothing through, so it counts as one lot.
    """
    odd_lot = quantity % lot
    whole = quantity - odd_lot
    largest = max((freeze or whole) // lot * lot, lot)
    return Slices(whole, largest, odd_lot)


def slices_for(instrument: Instrument, quantity: int, *, at: datetime) -> Slices:
    """Cut a quantity by the instrument's lot and the freeze quantity of its exchange's day."""
    freeze = freeze_quantity(instrument, on=_day_of(instrument, at))
    return slices_of(quantity, lot=instrument.lot_size, freeze=freeze)


def parts_of(request: OrderRequest, *, at: datetime) -> tuple[OrderRequest, ...]:
    """Return the orders that carry a request, or itself where one does or none may.

    The disclosed quantity is of each, as each stands in the market by itself.
    """
    slices = slices_for(request.instrument, max(request.quantity, 0), at=at)
    if slices.odd_lot or not 1 < slices.count <= _MOST_ORDERS:
        return (request,)
    disclosed = request.disclosed_quantity
    return tuple(
        replace(request, quantity=each, disclosed_quantity=min(disclosed, each))
        for each in slices.quantities
    )


def largest_entry(instrument: Instrument, *, at: datetime) -> int | None:
    """The most that one entry may ask for in its slices; None where nothing is frozen."""
    freeze, lot = freeze_quantity(instrument, on=_day_of(instrument, at)), instrument.lot_size
    return max(freeze // lot * lot, lot) * MOST_SLICES if freeze else None


def check_entry(request: OrderRequest, *, at: datetime) -> None:
    """Let an entry pass that goes in at most ten slices.

    :raises OrderInvalid: saying how many it would take, and how much goes.
    """
    most = largest_entry(request.instrument, at=at)
    if most is None or request.quantity <= most:
        return
    count = slices_for(request.instrument, request.quantity, at=at).count
    words = (
        f"{rupees(request.quantity, 0)} would take {rupees(count, 0)} orders of at most "
        f"{rupees(most // MOST_SLICES, 0)}, and an entry goes in at most {MOST_SLICES}: "
        f"enter at most {rupees(most, 0)}"
    )
    raise OrderInvalid({"quantity": [words]})


def _day_of(instrument: Instrument, at: datetime) -> date:
    try:
        return installed_venue().session_date(instrument.ref(), at)
    except CalendarUnknown:
        return at.astimezone(IST).date()

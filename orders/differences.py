"""What we hold held against what a broker says: plain figures, and when to believe them.

A difference is believed once two good readings at least five seconds apart have said the same.
Even then the broker's side is doubted where it contradicts what else is known: a report that is
empty, that does not show today's trades, or from which something has vanished without a trade.
What has expired is left out on both sides: the exchange settles it, and the broker drops it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from brokers.gateway import HoldingReport, PositionReport
from brokers.terms import Product
from operations.figures import rupees

READINGS_NEEDED = 2
READINGS_APART = timedelta(seconds=5)
BookKey = tuple[str, str]
Holdings = Mapping[BookKey, int]


@dataclass(frozen=True, slots=True)
class DayTrades:
    """What was bought and sold of one instrument today."""

    bought: int = 0
    sold: int = 0

    @property
    def net(self) -> int:
        return self.bought - self.sold


def _nothing(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Reading:
    """One good reading: our books (by instrument key and product) beside the broker's word.

    ``read_at`` is the moment before the broker was asked: what it tells is no newer. ``traded``
    are today's trades by instrument, as far as anybody knows them; ``expired`` names the contracts
    whose last day is over. Of what is ``uncertain`` the broker's rows cannot be read: it is never
    compared, for what is not read is not nothing. ``pending`` counts shares of a split or bonus
    that the broker need not show yet.
    """

    read_at: datetime
    ours: Holdings
    positions: Sequence[PositionReport]
    holdings: Sequence[HoldingReport]
    traded: Mapping[str, DayTrades] = field(default_factory=dict)
    expired: frozenset[str] = frozenset()
    uncertain: Callable[[str], bool] = _nothing
    pending: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compared:
    """One book where the two sides differ, with the broker's average price where it told one."""

    instrument_key: str
    product: str
    ours: int
    theirs: int
    price: Decimal | None = None

    @property
    def words(self) -> str:
        return (
            f"{self.instrument_key} {self.product}: {rupees(self.ours, 0)} here, "
            f"{rupees(self.theirs, 0)} at the broker"
        )


@dataclass(frozen=True, slots=True)
class Sighting:
    """A difference as the readings so far have told it."""

    ours: int
    theirs: int
    first_seen_at: datetime
    same_since: datetime
    last_seen_at: datetime
    readings: int

    @property
    def is_believed(self) -> bool:
        apart = self.last_seen_at - self.same_since
        return self.readings >= READINGS_NEEDED and apart >= READINGS_APART


def seen(before: Sighting | None, each: Compared, *, is_settled: bool, at: datetime) -> Sighting:
    """Add what was read at one moment; if it says otherwise, or is not settled, count anew."""
    first = before.first_seen_at if before else at
    is_same = (
        before is not None
        and before.readings > 0
        and (before.ours, before.theirs) == (each.ours, each.theirs)
    )
    if before is None or not is_same or not is_settled:
        return Sighting(each.ours, each.theirs, first, at, at, int(is_settled))
    return Sighting(each.ours, each.theirs, first, before.same_since, at, before.readings + 1)


def compare(reading: Reading) -> list[Compared]:
    """Return the books where the broker says otherwise than ours."""
    theirs = theirs_of(reading)
    prices = _prices(reading)
    return [
        Compared(*book, reading.ours.get(book, 0), theirs.get(book, 0), _price(prices, book))
        for book in sorted(reading.ours.keys() | theirs.keys())
        if book[0] not in reading.expired
        and not reading.uncertain(book[0])
        and not _agrees(book, reading, theirs.get(book, 0))
    ]


def _agrees(book: BookKey, reading: Reading, theirs: int) -> bool:
    """Tell whether the broker says the same, or lacks no more than is to be credited."""
    ours = reading.ours.get(book, 0)
    return theirs == ours or 0 < ours - theirs <= reading.pending.get(book[0], 0)


def theirs_of(reading: Reading) -> Holdings:
    """What the broker holds of each book, delivery shares of earlier days among it.

    Those are holdings there and a position here. Shares that were never bought here are left out.
    """
    theirs: defaultdict[BookKey, int] = defaultdict(int)
    for report in reading.positions:
        theirs[report.instrument_key, report.product.value] += report.quantity
    for holding in reading.holdings:
        delivery = (holding.instrument_key, Product.CNC.value)
        missing = max(reading.ours.get(delivery, 0) - theirs[delivery], 0)
        theirs[delivery] += min(holding.quantity + holding.t1_quantity, missing)
    return theirs


def doubt(each: Compared, reading: Reading) -> str:
    """Say why the broker's side of a difference cannot be believed; empty where it can."""
    if _is_empty(reading) and _holds_anything(reading):
        return "Its report of positions is empty, which is never taken for having nothing"
    rows = [row for row in reading.positions if row.instrument_key == each.instrument_key]
    traded = reading.traded.get(each.instrument_key, DayTrades())
    if not _shows(rows, traded, each.instrument_key, reading):
        return "Its report of positions does not show today's trades"
    if each.ours and not each.theirs and _has_vanished(rows, each.instrument_key, reading):
        return "It does not list this position any more, and no trade of today has closed it"
    return ""


def _is_empty(reading: Reading) -> bool:
    return not any(_tells(row) for row in reading.positions) and not any(
        holding.quantity + holding.t1_quantity for holding in reading.holdings
    )


def _holds_anything(reading: Reading) -> bool:
    return any(held for (key, _), held in reading.ours.items() if key not in reading.expired)


def _tells(row: PositionReport) -> bool:
    return bool(row.quantity or row.buy_quantity or row.sell_quantity)


def _shows(rows: Sequence[PositionReport], traded: DayTrades, key: str, reading: Reading) -> bool:
    """Tell whether the report has taken today's trades in.

    By its own count of what was bought and sold, where it counts. Else by its quantity, which
    must not be what it was before them.
    """
    bought, sold = sum(row.buy_quantity for row in rows), sum(row.sell_quantity for row in rows)
    if bought or sold:
        return bought >= traded.bought and sold >= traded.sold
    if not traded.net:
        return True
    before = _together(reading.ours, key) - traded.net
    return _together(theirs_of(reading), key) != before


def _has_vanished(rows: Sequence[PositionReport], key: str, reading: Reading) -> bool:
    """A conversion to another product leaves the whole the same."""
    is_converted = _together(theirs_of(reading), key) == _together(reading.ours, key)
    is_closed = any(row.buy_quantity or row.sell_quantity for row in rows)
    return not is_converted and not is_closed


def _together(holdings: Holdings, key: str) -> int:
    return sum(quantity for (instrument, _), quantity in holdings.items() if instrument == key)


def _prices(reading: Reading) -> dict[BookKey, Decimal]:
    """The broker's averages; of a position of today before that of a holding."""
    prices = {
        (each.instrument_key, Product.CNC.value): each.average_price
        for each in reading.holdings
        if each.average_price > 0
    }
    for row in reading.positions:
        if row.quantity and row.average_price > 0:
            prices[row.instrument_key, row.product.value] = row.average_price
    return prices


def _price(prices: Mapping[BookKey, Decimal], book: BookKey) -> Decimal | None:
    """What was converted is there under its new product, at the same average."""
    if book in prices:
        return prices[book]
    same = (price for (key, _), price in sorted(prices.items()) if key == book[0])
    return next(same, None)

"""What risk reads: states, exposures, margins held."""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from django.db.models import Q, QuerySet, Sum

from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument
from portfolio.models import Position, PositionDifference, ShareCredit
from portfolio.splitting import OpenBook, split_over_books
from risk.models import Reservation, Trading
from risk.rules import Exposure
from risk.stops import entries_blocked, stops_in_force

__all__ = [
    "Book",
    "Closable",
    "closable",
    "effective_state",
    "entries_blocked",
    "exitable_by_hand",
    "exitable_quantities",
    "exposure",
    "free_money",
    "is_left_to_outside",
    "reserved_margin",
    "state_with_reason",
    "worst_exposure",
    "worst_exposures",
]

Row = TypeVar("Row", Position, Reservation)
_Key = tuple[uuid.UUID, int, str]


def effective_state(account: TradingAccount, user_strategy_id: uuid.UUID | None = None) -> Trading:
    """The strictest state that holds for an account (and strategy)."""
    return state_with_reason(account, user_strategy_id)[0]


def state_with_reason(
    account: TradingAccount, user_strategy_id: uuid.UUID | None = None
) -> tuple[Trading, str]:
    """The strictest state that holds for an account (and strategy), and why."""
    found = stops_in_force(account.workspace_id).of(account, user_strategy_id)
    return found.state, found.words


@dataclass(frozen=True, slots=True)
class Book:
    """Whose holding of what: of one strategy when named, else of the whole account."""

    account: TradingAccount
    instrument: Instrument
    product: Product


def exposure(
    book: Book, *, strategy: uuid.UUID | None, own: bool, without: uuid.UUID | None = None
) -> Exposure:
    """Read one book's exposure: of a strategy's own part, or of the account's net.

    An order from outside names no strategy. While it waits it is counted in the books that it
    would close if it filled now, by the very rule by which its fills are split.
    ``without`` leaves one order's reservation out, as when that order is being changed.
    """
    positions, held = _rows_of(book, without)
    if own:
        return _exposure_of_one(positions, list(held.order_by("pk")), strategy)
    quantity = positions.aggregate(total=Sum("quantity"))["total"] or 0
    pending = dict(held.values_list("side").annotate(Sum("quantity")).order_by())
    return Exposure(quantity, pending.get(Side.BUY, 0), pending.get(Side.SELL, 0))


def _rows_of(
    book: Book, without: uuid.UUID | None
) -> tuple[QuerySet[Position], QuerySet[Reservation]]:
    positions = Position.objects.filter(
        account=book.account, instrument=book.instrument, product=book.product
    ).open()
    held = Reservation.objects.filter(
        account=book.account, instrument=book.instrument, product=book.product, released_at=None
    )
    return positions, held if without is None else held.exclude(order_id=without)


def worst_exposure(book: Book, *, strategy: uuid.UUID | None, own: bool) -> Exposure:
    """Read one book's exposure; where the broker's figure differs, the worse of the two counts.

    What an order may do is judged by this, never what is already working: a report of positions
    that is wrong would else call off the stops that guard them.
    """
    of_its_own, net = worst_exposures(book, strategy=strategy)
    return of_its_own if own else net


def worst_exposures(
    book: Book, *, strategy: uuid.UUID | None, without: uuid.UUID | None = None
) -> tuple[Exposure, Exposure]:
    """Read the worst exposure of a strategy's own part, and of the account's net, at once."""
    rows = _rows_of(book, without)
    positions, held = list(rows[0]), list(rows[1].order_by("pk"))
    own = _exposure_of_one(positions, held, strategy)
    net = _exposure_by_side(sum(each.quantity for each in positions), held)
    differing = PositionDifference.objects.filter(
        account=book.account, instrument=book.instrument, product=book.product
    )
    theirs = differing.credible().values_list("theirs", flat=True).first()
    if theirs is None:
        uncredited = _uncredited(book)
        if not uncredited:
            return own, net
        theirs = net.quantity - uncredited
    at_broker = replace(net, quantity=theirs)
    return replace(own, at_broker=at_broker), replace(net, at_broker=at_broker)


def _uncredited(book: Book) -> int:
    """Shares of a split or bonus that the broker does not let go yet."""
    credits = ShareCredit.objects.pending()
    mine = credits.filter(account=book.account, instrument=book.instrument)
    return mine.quantity(book.product)


def exitable_by_hand(book: Book, side: Side) -> int:
    """How much a person's order may close there: no more is an exit, whatever blocks entries."""
    return worst_exposure(book, strategy=None, own=False).exitable(side.sign)


@dataclass(frozen=True, slots=True)
class Closable:
    """How much of a book's own part may be closed now, and how much only once entries may leave."""

    now: int
    later: int

    @property
    def words(self) -> str:
        """Why nothing can be closed now."""
        if not self.later:
            return (
                "nothing is left to exit; where a stop or another exit waits for all of it, cancel "
                "that first"
            )
        return (
            "it is held against an opposite position in this account, and alone only what the "
            "account holds beyond that may be exited while trading is stopped"
        )


def closable(book: Book, side: Side, *, strategy: uuid.UUID | None) -> Closable:
    """Read what may be closed of a book's own part.

    While only exits are allowed, no more than the account's net of it: closing one of two opposed
    books beyond that would open a position at the broker.
    """
    own, net = worst_exposures(book, strategy=strategy)
    left = own.exitable(side.sign)
    if not left or effective_state(book.account, strategy) is Trading.ACTIVE:
        return Closable(left, 0)
    now = min(left, net.exitable(side.sign))
    return Closable(now, left - now)


def exitable_quantities(positions: Iterable[Position]) -> dict[uuid.UUID, int]:
    """How much of each open position an exit may still close, in a fixed number of queries."""
    positions = list(positions)
    accounts = {position.account_id for position in positions}
    instruments = {position.instrument_id for position in positions}
    beside = Position.objects.filter(account__in=accounts, instrument__in=instruments).open()
    books = _grouped(beside)
    held = _grouped(
        Reservation.objects.filter(
            account__in=accounts, instrument__in=instruments, released_at=None
        ).order_by("pk")
    )
    differing = PositionDifference.objects.filter(account__in=accounts).credible()
    at_broker = {
        (each.account_id, each.instrument_id, each.product): each.theirs for each in differing
    }
    credits = ShareCredit.objects.pending().filter(account__in=accounts)
    for key, uncredited in _uncredited_by_key(credits.filter(instrument__in=instruments)).items():
        net = sum(each.quantity for each in books.get(key, []))
        at_broker.setdefault(key, net - uncredited)
    found = {}
    for position in positions:
        key = (position.account_id, position.instrument_id, position.product)
        own = _exposure_of_one(books.get(key, []), held.get(key, []), position.user_strategy_id)
        if key in at_broker:
            there = _exposure_by_side(at_broker[key], held.get(key, []))
            own = replace(own, at_broker=there)
        found[position.pk] = own.exitable(-1 if position.quantity > 0 else 1)
    return found


def _uncredited_by_key(credits: Iterable[ShareCredit]) -> Counter[_Key]:
    found: Counter[_Key] = Counter()
    for credit in credits:
        for product in (Product.CNC, Product.MTF):
            key = (credit.account_id, credit.instrument_id, str(product))
            found[key] += credit.pending_of(product)
    return +found


def _exposure_by_side(quantity: int, held: Iterable[Reservation]) -> Exposure:
    """Of the whole account: whoever asked for them, all pending orders count."""
    pending = {Side.BUY: 0, Side.SELL: 0}
    for each in held:
        pending[Side(each.side)] += each.quantity
    return Exposure(quantity, pending[Side.BUY], pending[Side.SELL])


def _grouped(rows: QuerySet[Row]) -> dict[_Key, list[Row]]:
    grouped: dict[_Key, list[Row]] = {}
    for row in rows:
        grouped.setdefault((row.account_id, row.instrument_id, row.product), []).append(row)
    return grouped


def _exposure_of_one(
    positions: Iterable[Position], held: Iterable[Reservation], strategy: uuid.UUID | None
) -> Exposure:
    """One book's own exposure; ``positions`` and ``held`` are all that the account has there."""
    positions = list(positions)
    quantity = sum(each.quantity for each in positions if each.user_strategy_id == strategy)
    books = [
        OpenBook(each.user_strategy_id, each.quantity, each.opened_at, each.pk)
        for each in positions
        if each.user_strategy_id is not None
    ]
    pending = {Side.BUY: 0, Side.SELL: 0}
    for each in held:
        side = Side(each.side)
        if not each.is_outside:
            pending[side] += each.quantity if each.user_strategy_id == strategy else 0
            continue
        parts = split_over_books(side, each.quantity, books)
        closed = {part.user_strategy_id: part.quantity for part in parts}
        pending[side] += closed.get(strategy, 0)
        books = [_less(book, closed, side) for book in books]
    return Exposure(quantity, pending[Side.BUY], pending[Side.SELL])


def _less(book: OpenBook, closed: dict[uuid.UUID | None, int], side: Side) -> OpenBook:
    return replace(book, quantity=book.quantity + side.sign * closed.get(book.user_strategy_id, 0))


def is_left_to_outside(position: Position) -> bool:
    """Tell whether an order from outside is what waits to close a position, as a stop may long."""
    side = Side.SELL if position.quantity > 0 else Side.BUY
    waiting = Reservation.objects.filter(is_outside=True, released_at=None, side=side)
    return waiting.filter(
        account=position.account_id, instrument=position.instrument_id, product=position.product
    ).exists()


def free_money(account: TradingAccount, *, available: Decimal, as_of: object) -> Decimal:
    """What an entry may block: the broker's figure of that moment, less what it did not know of."""
    return available - reserved_margin(account, since=as_of)


def reserved_margin(account: TradingAccount, *, since: object) -> Decimal:
    """Margin that the broker's figure of that moment does not know of yet.

    What the broker has taken over after that moment counts whole, also when it has been filled or
    has ended since: until the broker's next word on money nobody knows what became of it.
    """
    mine = Reservation.objects.filter(account=account)
    unsure = Q(handed_over_at=None) | Q(handed_over_at=since)
    held = sum((each.margin_held for each in mine.filter(unsure, released_at=None)), Decimal(0))
    after = mine.filter(handed_over_at__gt=since).values_list("margin", flat=True)
    return sum(after, held)

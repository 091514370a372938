"""The books derived anew from fills and corporate actions, in memory, by the same arithmetic."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from brokers.terms import InstrumentType, Product
from brokers.venue import ChargesUnknown
from portfolio.booking import Book, Execution, apply_fill, share_of, split_at_flat
from portfolio.charges import (
    ChargeBreakdown,
    ChargeGroup,
    charge_group,
    fill_charges,
    pays_full_value,
)
from portfolio.corporate_actions import ShareChange, credited, restated
from portfolio.fills import Fill
from portfolio.rates import rates_for, tariff_of
from portfolio.splitting import parts_of

NOTHING = Decimal(0)
FLAT = Book()


@dataclass(frozen=True, slots=True)
class PositionKey:
    instrument_id: int
    product: str
    user_strategy_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class NettedKey:
    instrument_id: int
    product: str


@dataclass(frozen=True, slots=True)
class Run:
    """A position from flat to flat, or one day of it; ``opening`` is its first fill.

    ``booked`` is what a day's trades realised in the positions they belong to.
    """

    opening: Fill
    book: Book = FLAT
    charges: Decimal = NOTHING
    booked: Decimal = NOTHING


@dataclass(slots=True)
class DayTotals:
    realized: Decimal = NOTHING
    charges: Decimal = NOTHING
    uncharged_fills: int = 0


@dataclass(slots=True)
class Books:
    """All that the fills of one account come to."""

    runs: dict[PositionKey, list[Run]] = field(default_factory=dict)
    days: dict[tuple[PositionKey, date], Run] = field(default_factory=dict)
    netted: dict[NettedKey, Book] = field(default_factory=dict)
    sessions: defaultdict[date, DayTotals] = field(default_factory=lambda: defaultdict(DayTotals))
    trading: Decimal = NOTHING
    charges: Decimal = NOTHING


def rebuild(events: Iterable[Fill | ShareChange]) -> Books:
    """Fold one account's fills and corporate actions in the order in which they were booked."""
    books = Books()
    for event in events:
        if isinstance(event, ShareChange):
            _change_shares(books, event)
        else:
            _add(books, event)
    return books


def charges_of_fill(fill: Fill) -> ChargeBreakdown:
    """:raises ChargesUnknown: where no rate is on file for its day, and for an adjustment."""
    if fill.is_adjustment:
        raise ChargesUnknown("Nobody knows what an adjusted position was charged")
    value = fill.price * fill.quantity
    return fill_charges(rates_for(tariff_of(fill)), value_before=fill.value_before, value=value)


def _add(books: Books, fill: Fill) -> None:
    session = books.sessions[fill.session_date]
    try:
        charges = charges_of_fill(fill).total
    except ChargesUnknown:  # booked without, see book_fill
        charges = NOTHING
        session.uncharged_fills += 1
    for part, amount in parts_of(fill, charges):
        session.realized += _add_part(books, part, amount)
    execution = Execution(side=fill.side, quantity=fill.quantity, price=fill.price)
    session.charges += charges
    books.trading += _cash_moved(books, fill, execution)
    books.charges += charges


def _change_shares(books: Books, change: ShareChange) -> None:
    """Restate what is held for delivery from before the ex-date, as apply_action does."""
    held = [
        key
        for key, runs in books.runs.items()
        if key.instrument_id == change.instrument_id
        and _is_restated(runs[-1], Product(key.product), change)
    ]
    held.sort(key=lambda key: (key.product, str(key.user_strategy_id)))
    before = [books.runs[key][-1].book for key in held]
    credit = credited([book.quantity for book in before], change.factor)
    for key, book, quantity in zip(held, before, credit.quantities, strict=True):
        after = restated(book, quantity, change)
        books.runs[key][-1] = replace(books.runs[key][-1], book=after)
        books.sessions[change.ex_date].realized += after.realized - book.realized


def _is_restated(run: Run, product: Product, change: ShareChange) -> bool:
    kind = InstrumentType(run.opening.instrument.instrument_type)
    is_before = run.opening.session_date < change.ex_date
    is_delivery = charge_group(kind, product) is ChargeGroup.DELIVERY
    return is_before and is_delivery and run.book.quantity > 0


def _add_part(books: Books, fill: Fill, charges: Decimal) -> Decimal:
    """Fold what of a fill belongs in one book; return what it realised there."""
    key = PositionKey(fill.instrument.pk, fill.product, fill.user_strategy_id)
    execution = Execution(side=fill.side, quantity=fill.quantity, price=fill.price)
    realized = _add_to_runs(books.runs.setdefault(key, []), fill, execution, charges)
    before = books.days.get((key, fill.session_date), Run(opening=fill))
    day = _extended(before, execution, charges)
    books.days[key, fill.session_date] = replace(day, booked=day.booked + realized)
    return realized


def _add_to_runs(runs: list[Run], fill: Fill, execution: Execution, charges: Decimal) -> Decimal:
    if not runs or runs[-1].book.is_flat:
        runs.append(Run(opening=fill))
    before = runs[-1].book.realized
    first, *rest = split_at_flat(runs[-1].book, execution)
    share = share_of(charges, part=first.quantity, whole=execution.quantity)
    runs[-1] = _extended(runs[-1], first, share)
    realized = runs[-1].book.realized - before
    runs.extend(_extended(Run(opening=fill), part, charges - share) for part in rest)
    return realized


def _extended(run: Run, execution: Execution, charges: Decimal) -> Run:
    return replace(run, book=apply_fill(run.book, execution), charges=run.charges + charges)


def _cash_moved(books: Books, fill: Fill, execution: Execution) -> Decimal:
    if pays_full_value(InstrumentType(fill.instrument.instrument_type), fill.product):
        return -execution.value * fill.side.sign
    key = NettedKey(fill.instrument.pk, fill.product)
    before = books.netted.get(key, FLAT)
    books.netted[key] = apply_fill(before, execution)
    return books.netted[key].realized - before.realized

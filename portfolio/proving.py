"""Hold the stored books against the books that the fills make, figure by figure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from brokers.models import TradingAccount
from portfolio.booking import Book
from portfolio.models import (
    LedgerName,
    NettedPosition,
    Position,
    PositionStatus,
    PositionType,
    TradingSession,
)
from portfolio.posting import ledger_balances
from portfolio.rebuilding import Books, DayTotals, NettedKey, PositionKey, Run
from portfolio.services.positions import book_of, set_book

NOTHING = Decimal(0)
FLAT = Book()
_RUN_FIGURES = (
    "quantity",
    "open_cost",
    "realized",
    "buy_quantity",
    "buy_value",
    "sell_quantity",
    "sell_value",
)

_SESSION_FIGURES = (
    "realized_pnl",
    "charges",
    "uncharged_fills",
    "total_pnl",
    "capital_at_end",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored figure that is not what the fills make it."""

    subject: str
    figure: str
    stored: object
    derived: object

    def __str__(self) -> str:
        return f"{self.subject}: {self.figure} is {self.stored}, the trades make it {self.derived}"


@dataclass(frozen=True, slots=True)
class _Pair:
    """A stored position beside the run of fills that should have made it."""

    position: Position | None
    run: Run | None

    @property
    def subject(self) -> str:
        if self.run is not None:
            fill = self.run.opening
            return f"{fill.instrument.key} {fill.product} from {fill.traded_at:%Y-%m-%d %H:%M}"
        return f"Position {self.position.pk}" if self.position else ""


def differences(account: TradingAccount, books: Books) -> list[Difference]:
    """Return every figure of the account that its fills do not make."""
    return [
        *_in_positions(account, books),
        *_in_netted(account, books.netted),
        *_in_sessions(account, books.sessions),
        *_in_ledger(account, books),
    ]


def write_books(account: TradingAccount, books: Books) -> int:
    """Set the stored positions and sessions to what the fills make; return how many rows changed.

    The ledger is never rewritten: a difference there is for a person to correct by a voucher. A
    row that no fill accounts for, or one that is missing, is left for a person too.
    """
    changed = 0
    for pair in _pairs(account, books):
        if pair.position is not None and pair.run is not None and list(_in_pair(pair)):
            set_book(pair.position, pair.run.book)
            pair.position.charges = pair.run.charges
            pair.position.booked_pnl = pair.run.booked
            pair.position.unrealized_pnl = _unrealized(pair.position)
            pair.position.save()
            changed += 1
    for netted in NettedPosition.objects.filter(account=account):
        book = books.netted.get(NettedKey(netted.instrument_id, netted.product), FLAT)
        changed += (
            NettedPosition.objects.filter(pk=netted.pk)
            .exclude(quantity=book.quantity, open_cost=book.open_cost)
            .update(quantity=book.quantity, open_cost=book.open_cost)
        )
    return changed + _write_sessions(account, books.sessions)


def write_charges(account: TradingAccount, books: Books) -> int:
    """Set the stored charges, and nothing else, to what the fills make; return how many rows."""
    changed = 0
    for pair in _pairs(account, books):
        if pair.position is None or pair.run is None or pair.position.charges == pair.run.charges:
            continue
        pair.position.charges = pair.run.charges
        pair.position.save(update_fields=["charges", "updated_at"])
        changed += 1
    for session in TradingSession.objects.filter(account=account):
        total = books.sessions.get(session.session_date, DayTotals())
        kept = replace(total, realized=session.realized_pnl)
        changed += _write_session(session, kept)
    return changed


def _unrealized(position: Position) -> Decimal:
    if position.last_price is None:
        return NOTHING
    return position.unrealized_at(position.last_price)


def _write_sessions(account: TradingAccount, totals: Mapping[date, DayTotals]) -> int:
    changed = 0
    for session in TradingSession.objects.filter(account=account):
        changed += _write_session(session, totals.get(session.session_date, DayTotals()))
    return changed


def _write_session(session: TradingSession, total: DayTotals) -> int:
    if _totals_of(session) == total:
        return 0
    before = session.total_pnl
    session.realized_pnl, session.charges = total.realized, total.charges
    session.uncharged_fills = total.uncharged_fills
    session.total_pnl = session.net_pnl
    if session.capital_at_end is not None:
        session.capital_at_end += session.total_pnl - before
    session.save(update_fields=_SESSION_FIGURES)
    return 1


def _totals_of(session: TradingSession) -> DayTotals:
    return DayTotals(session.realized_pnl, session.charges, session.uncharged_fills)


def _in_positions(account: TradingAccount, books: Books) -> Iterator[Difference]:
    for pair in _pairs(account, books):
        if pair.position is None or pair.run is None:
            has = (pair.position is not None, pair.run is not None)
            yield Difference(
                pair.subject, "position", *("there" if each else "none" for each in has)
            )
        else:
            yield from _in_pair(pair)


def _in_pair(pair: _Pair) -> Iterator[Difference]:
    if pair.position is None or pair.run is None:
        return
    stored = book_of(pair.position)
    for name in _RUN_FIGURES:
        yield from _compare(pair.subject, name, getattr(stored, name), getattr(pair.run.book, name))
    yield from _compare(pair.subject, "charges", pair.position.charges, pair.run.charges)
    yield from _compare(pair.subject, "booked", pair.position.booked_pnl, pair.run.booked)
    is_open = pair.position.status == PositionStatus.OPEN
    yield from _compare(pair.subject, "open", is_open, not pair.run.book.is_flat)


def _in_netted(account: TradingAccount, derived: Mapping[NettedKey, Book]) -> Iterator[Difference]:
    rows = NettedPosition.objects.filter(account=account).select_related("instrument")
    stored = {NettedKey(row.instrument_id, row.product): row for row in rows}
    for key in stored.keys() | derived.keys():
        row, book = stored.get(key), derived.get(key, FLAT)
        subject = f"{row.instrument.key if row else key.instrument_id} {key.product}, netted"
        yield from _compare(subject, "quantity", row.quantity if row else 0, book.quantity)
        yield from _compare(subject, "cost", row.open_cost if row else NOTHING, book.open_cost)


def _in_sessions(
    account: TradingAccount, derived: Mapping[date, DayTotals]
) -> Iterator[Difference]:
    stored = {row.session_date: row for row in TradingSession.objects.filter(account=account)}
    for day in sorted(stored.keys() | derived.keys()):
        has, total = DayTotals(), derived.get(day, DayTotals())
        if day in stored:
            has = _totals_of(stored[day])
        subject, uncharged = f"Session of {day}", "fills without charges"
        yield from _compare(subject, "realised", has.realized, total.realized)
        yield from _compare(subject, "charges", has.charges, total.charges)
        yield from _compare(subject, uncharged, has.uncharged_fills, total.uncharged_fills)


def _in_ledger(account: TradingAccount, books: Books) -> Iterator[Difference]:
    balances = ledger_balances(account)
    capital = balances.get(LedgerName.CAPITAL, NOTHING) + balances.get(
        LedgerName.ADJUSTMENT, NOTHING
    )
    derived = {
        LedgerName.TRADING: -books.trading,
        LedgerName.CHARGES: books.charges,
        LedgerName.CASH: books.trading - books.charges - capital,
    }
    for name, amount in derived.items():
        yield from _compare("Ledger", name.value, balances.get(name, NOTHING), amount)


def _compare(subject: str, figure: str, stored: object, derived: object) -> Iterator[Difference]:
    if stored != derived:
        yield Difference(subject, figure, stored, derived)


def _pairs(account: TradingAccount, books: Books) -> Iterator[_Pair]:
    stored: dict[PositionKey, list[Position]] = {}
    days: dict[tuple[PositionKey, date], Position] = {}
    for position in Position.objects.filter(account=account).order_by("created_at", "pk"):
        key = PositionKey(position.instrument_id, position.product, position.user_strategy_id)
        if position.position_type == PositionType.DAY:
            days[key, position.session_date] = position
        else:
            stored.setdefault(key, []).append(position)
    for key in stored.keys() | books.runs.keys():
        yield from _side_by_side(stored.get(key, []), books.runs.get(key, []))
    for day_key in days.keys() | books.days.keys():
        yield _Pair(days.get(day_key), books.days.get(day_key))


def _side_by_side(positions: list[Position], runs: Iterable[Run]) -> Iterator[_Pair]:
    runs = list(runs)
    for place in range(max(len(positions), len(runs))):
        yield _Pair(
            positions[place] if place < len(positions) else None,
            runs[place] if place < len(runs) else None,
        )

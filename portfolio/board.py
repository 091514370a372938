"""The positions page's numbers: what is open, at today's prices, by account or by strategy."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import BigIntegerField, Case, F, OuterRef, Q, Subquery, Sum, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from brokers.models import TradingAccount
from brokers.terms import Product
from brokers.venue import CalendarUnknown, Venue
from market.ex_dates import in_old_shares
from market.quotes import QuoteView, quotes_of
from market.rules.lots import odd_lot_words
from market.settlement import has_expired
from operations.figures import IST
from portfolio.models import (
    DifferenceState,
    Position,
    PositionDifference,
    PositionStatus,
    PositionType,
    ShareCredit,
)
from portfolio.selectors import DaySummary
from portfolio.shown_days import ShownDays

ZERO = Decimal(0)
_COUNT = BigIntegerField()
BY_HAND = "By hand"


@dataclass(frozen=True, slots=True)
class PositionRow:
    """An open position at its last price; ``unrealized`` is None while nobody knows a price."""

    position: Position
    quote: QuoteView | None
    last_price: Decimal | None
    unrealized: Decimal | None
    strategy: str
    exit_words: str
    is_stale: bool

    @property
    def uncredited(self) -> int:
        """Shares of a split or bonus that count in value and cannot be sold yet."""
        return int(getattr(self.position, "uncredited", 0))

    @property
    def odd_lot(self) -> str:
        """Say what of it is less than a lot, which no order can close; empty for whole lots."""
        instrument = self.position.instrument
        odd_lot = abs(self.position.quantity) % instrument.lot_size
        return odd_lot_words(instrument, odd_lot) if odd_lot else ""

    @property
    def is_replay(self) -> bool:
        """Whether it ended at prices of its own, which those of now do not touch."""
        return self.position.account.own_clock

    @property
    def priced_at(self) -> datetime | None:
        if self.quote is not None:
            return self.quote.as_of
        return self.position.marked_at if self.is_replay else None


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one account, or of one strategy in accounts of one kind of money."""

    label: str
    is_paper: bool
    currency: str
    rows: tuple[PositionRow, ...]

    @property
    def unrealized(self) -> Decimal:
        return sum((row.unrealized or ZERO for row in self.rows), ZERO)


@dataclass(frozen=True, slots=True)
class Total:
    is_paper: bool
    currency: str
    unrealized: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class Board:
    """All open positions. ``oldest_price_at`` tells how old its oldest price is."""

    groups: tuple[Group, ...]
    totals: tuple[Total, ...]
    oldest_price_at: datetime | None

    @property
    def rows(self) -> list[PositionRow]:
        return [row for group in self.groups for row in group.rows]

    @property
    def open_profit(self) -> Decimal | None:
        """What all of it has gained since it was opened; None while a price is not known."""
        parts = [row.unrealized for row in self.rows]
        return None if None in parts else sum((part for part in parts if part is not None), ZERO)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class StrategyDay:
    """What one strategy, or the person by hand, has open and booked that day, before charges."""

    label: str
    unrealized: Decimal
    realized: Decimal

    @property
    def together(self) -> Decimal:
        return self.unrealized + self.realized


@dataclass(frozen=True, slots=True)
class SquareOff:
    """When the broker closes intraday positions by force, and how many that concerns."""

    at: datetime
    count: int


def positions_board(
    accounts: Collection[TradingAccount], *, by_strategy: bool, now: datetime
) -> Board:
    """Value every open position of the accounts at its last price."""
    positions = open_positions(accounts)
    quotes = quotes_of({position.instrument.key for position in positions} - in_old_shares(now))
    return board_of(positions, quotes, by_strategy=by_strategy, now=now)


def open_positions(accounts: Collection[TradingAccount]) -> list[Position]:
    """List what the accounts hold, with all that a page says of it."""
    related = ("instrument", "account__connection", "user_strategy__strategy")
    positions = (
        Position.objects.open()
        .filter(account__in=accounts)
        .select_related(*related)
        .annotate(uncredited=_uncredited())
    )
    return list(positions.order_by("account__name", "instrument__key", "product", "pk"))


def _uncredited() -> Case:
    """Of a position's product, the shares that are not credited yet."""
    rows = ShareCredit.objects.pending().filter(
        account=OuterRef("account"), instrument=OuterRef("instrument")
    )
    by_account = rows.order_by().values("account")

    def summed(part: Combinable) -> Coalesce:
        total = by_account.annotate(total=Sum(part, output_field=_COUNT)).values("total")
        return Coalesce(Subquery(total), 0, output_field=_COUNT)

    on_margin = F("pending_mtf_quantity")
    return Case(
        When(product=Product.CNC, then=summed(F("pending_quantity") - on_margin)),
        When(product=Product.MTF, then=summed(on_margin)),
        default=0,
        output_field=_COUNT,
    )


def board_of(
    positions: Iterable[Position],
    quotes: Mapping[str, QuoteView],
    *,
    by_strategy: bool,
    now: datetime,
) -> Board:
    """Value open positions at these prices."""
    rows = [_row(position, quotes=quotes, now=now) for position in positions]
    groups = _groups(rows, key=_strategy_group if by_strategy else _account_group)
    priced_at = [row.priced_at for row in rows if row.priced_at]
    return Board(groups, _totals(groups), min(priced_at, default=None))


def at_board_prices(summary: DaySummary, board: Board) -> DaySummary:
    """Value the day at the board's prices, so that a page shows one gain and not two.

    It stays as it was last marked where the day has not begun or a price is not known, and where
    the prices of now are not the accounts'.
    """
    if summary.day is None or any(row.is_replay for row in board.rows):
        return summary
    if board.open_profit is None or board.oldest_price_at is None:
        return summary
    return summary.at_prices(board.open_profit, as_of=board.oldest_price_at)


def closed_on(days: ShownDays) -> list[Position]:
    """List what the accounts closed on their days, newest first."""
    closed = Position.objects.net().filter(days.moments("closed_at"), status=PositionStatus.CLOSED)
    related = ("instrument", "account__connection", "user_strategy__strategy")
    return list(closed.select_related(*related).order_by("-closed_at", "-pk"))


def differences_on(days: ShownDays) -> list[PositionDifference]:
    """List where a broker says otherwise than we, and what was adjusted for it that day."""
    of_the_day = Q(days.moments("adjusted_at"), state=DifferenceState.ADJUSTED)
    shown = PositionDifference.objects.filter(
        Q(state=DifferenceState.OPEN) | of_the_day, account__in=days.of.keys()
    )
    related = ("account__connection", "instrument")
    return list(shown.select_related(*related).order_by("-state", "-last_seen_at", "pk"))


def expired_in(rows: Iterable[PositionRow], *, now: datetime) -> list[str]:
    """Name the contracts among them that have expired and wait for the exchange's price."""
    held = (row.position.instrument for row in rows)
    return sorted({each.trading_symbol for each in held if has_expired(each, now)})


def day_positions(days: ShownDays) -> list[Position]:
    """List what the trades of the accounts' days come to, per instrument, product and strategy."""
    traded = Position.objects.filter(days.rows(), position_type=PositionType.DAY)
    related = ("instrument", "account__connection", "user_strategy__strategy")
    return list(traded.select_related(*related).order_by("instrument__key", "pk"))


def strategy_days(board: Board, traded: Iterable[Position]) -> list[StrategyDay]:
    """Put open profit and what the day's trades booked side by side, per strategy."""
    unrealized: dict[str, Decimal] = {}
    realized: dict[str, Decimal] = {}
    for row in board.rows:
        unrealized[row.strategy] = unrealized.get(row.strategy, ZERO) + (row.unrealized or ZERO)
    for position in traded:
        name = strategy_name(position)
        realized[name] = realized.get(name, ZERO) + position.booked_pnl
    return [
        StrategyDay(name, unrealized.get(name, ZERO), realized.get(name, ZERO))
        for name in sorted(unrealized.keys() | realized.keys())
    ]


def square_offs(rows: Sequence[PositionRow], *, venue: Venue, now: datetime) -> list[SquareOff]:
    """Tell when open intraday positions will be closed by force, soonest first."""
    counts: dict[datetime, int] = {}
    for row in rows:
        at = _square_off_of(row.position, venue=venue, now=now)
        if at is not None and at > now:
            counts[at] = counts.get(at, 0) + 1
    return [SquareOff(at, count) for at, count in sorted(counts.items())]


def strategy_name(position: Position) -> str:
    return position.user_strategy.strategy.name if position.user_strategy else BY_HAND


def _row(position: Position, *, quotes: Mapping[str, QuoteView], now: datetime) -> PositionRow:
    is_replay = position.account.own_clock
    quote = _quote_of(position, quotes)
    price = price_of(position, quotes)
    word = "sell" if position.quantity > 0 else "buy"
    return PositionRow(
        position=position,
        quote=quote,
        last_price=price,
        unrealized=None if price is None else position.unrealized_at(price),
        strategy=strategy_name(position),
        exit_words=f"{word} {abs(position.quantity)}",
        is_stale=not is_replay and (quote is None or quote.is_stale(now)),
    )


def price_of(position: Position, quotes: Mapping[str, QuoteView]) -> Decimal | None:
    """Return what its price is now; a replay's is the one at which it ended."""
    quote = _quote_of(position, quotes)
    return quote.ltp if quote else position.last_price


def _quote_of(position: Position, quotes: Mapping[str, QuoteView]) -> QuoteView | None:
    """Leave out today's of a replay, and one older than the last mark, as of before a split."""
    quote = None if position.account.own_clock else quotes.get(position.instrument.key)
    is_old = quote is not None and position.marked_at and quote.as_of < position.marked_at
    return None if is_old else quote


_GroupKey = tuple[bool, str, str]


def _account_group(row: PositionRow) -> _GroupKey:
    account = row.position.account
    return account.is_paper, account.currency, account.name


def _strategy_group(row: PositionRow) -> _GroupKey:
    account = row.position.account
    return account.is_paper, account.currency, row.strategy


def _groups(
    rows: Iterable[PositionRow], *, key: Callable[[PositionRow], _GroupKey]
) -> tuple[Group, ...]:
    grouped: dict[_GroupKey, list[PositionRow]] = {}
    for row in rows:
        grouped.setdefault(key(row), []).append(row)
    return tuple(
        Group(label, is_paper, currency, tuple(members))
        for (is_paper, currency, label), members in sorted(grouped.items())
    )


def _totals(groups: Iterable[Group]) -> tuple[Total, ...]:
    totals: dict[tuple[bool, str], Total] = {}
    for group in groups:
        kind = (group.is_paper, group.currency)
        so_far = totals.get(kind, Total(*kind, ZERO, 0))
        totals[kind] = Total(
            *kind, so_far.unrealized + group.unrealized, so_far.count + len(group.rows)
        )
    return tuple(totals[kind] for kind in sorted(totals))


def _square_off_of(position: Position, *, venue: Venue, now: datetime) -> datetime | None:
    if position.product != Product.MIS:
        return None
    ref = position.instrument.ref()
    try:
        day = venue.session_date(ref, now)
    except CalendarUnknown:
        return None
    at = venue.square_off_time(ref, day)
    return None if at is None else datetime.combine(day, at, tzinfo=IST)

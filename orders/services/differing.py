"""Keep the differences between our positions and the broker's, reading by reading."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max

from brokers.gateway import HoldingReport, PositionReport, TradeReport
from brokers.models import TradingAccount
from brokers.terms import Side
from market.calendar import local_day
from market.models import CorporateActionKind, Instrument
from market.settlement import has_expired
from operations.events import publish
from orders.differences import (
    BookKey,
    Compared,
    DayTrades,
    Reading,
    Sighting,
    compare,
    doubt,
    seen,
)
from orders.models import MissingOrder, Order, OrderSource, ParkedReport, Trade
from orders.models.orders import OrderQuerySet
from orders.services.parking import CLAIMED_WITHIN
from orders.states import OrderStatus
from portfolio.models import DifferenceState, Position, PositionDifference, ShareCredit
from portfolio.services import lock_account
from portfolio.services.corporate_actions import confirm_credit

UNBOOKED_WITHIN = CLAIMED_WITHIN
_SIGHTED = (
    "instrument",
    "ours",
    "theirs",
    "price",
    "same_since",
    "last_seen_at",
    "readings",
    "is_doubted",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Sighted:
    """What one reading found: the open differences, and those of them to adopt now."""

    open: tuple[PositionDifference, ...]
    believed: tuple[PositionDifference, ...]


@transaction.atomic
def note_differences(
    account: TradingAccount, reading: Reading, *, trades: Sequence[TradeReport], now: datetime
) -> Sighted:
    """Write down what one good reading found; what it did not find again is gone.

    Readings of two workers may overlap: one that is older than the last that counted does not.
    """
    lock_account(account)
    found = compare(reading)
    waiting = unsettled(account, trades, now=now)
    rows_open = PositionDifference.objects.open().filter(account=account)
    known = {(row.instrument_key, row.product): row for row in rows_open}
    if _is_overtaken(account, reading):
        return Sighted(tuple(known.values()), ())
    compared = {book: row for book, row in known.items() if not reading.uncertain(book[0])}
    _let_go(compared, found, reading)
    instruments = _instruments([each.instrument_key for each in found])
    rows, believed = [], []
    for each in found:
        row = known.get((each.instrument_key, each.product)) or _new(account, each, reading)
        row.instrument = instruments.get(each.instrument_key)
        if _sight(row, each, reading, waits_for=waiting.get(each.instrument_key, "")):
            believed.append(row)
        rows.append(row)
    if rows or known:
        publish("positions", workspace_id=account.workspace_id, subject_id=account.pk, now=now)
    return Sighted(tuple(rows), tuple(believed))


def our_holdings(account: TradingAccount) -> dict[BookKey, int]:
    """What our books hold, over all strategies."""
    ours: defaultdict[BookKey, int] = defaultdict(int)
    positions = Position.objects.filter(account=account).open()
    for key, product, quantity in positions.values_list("instrument__key", "product", "quantity"):
        ours[key, product] += quantity
    return ours


def day_trades(
    account: TradingAccount, told: Sequence[TradeReport], *, now: datetime
) -> dict[str, DayTrades]:
    """Add up today's trades of each instrument: those the broker tells, or ours where more.

    A broker that has lost its positions may have lost its trades with them.
    """
    theirs: defaultdict[str, dict[Side, int]] = defaultdict(lambda: {Side.BUY: 0, Side.SELL: 0})
    for report in told:
        theirs[report.instrument_key][report.side] += report.quantity
    ours: defaultdict[str, dict[Side, int]] = defaultdict(lambda: {Side.BUY: 0, Side.SELL: 0})
    recent = Trade.objects.filter(account=account, traded_at__gt=now - timedelta(days=1))
    made_here = (OrderSource.ADJUSTMENT, OrderSource.EXPIRY)
    recent = recent.exclude(order__source__in=made_here).select_related("instrument")
    for trade in recent:
        exchange = trade.instrument.exchange
        if local_day(exchange, trade.traded_at) == local_day(exchange, now):
            ours[trade.instrument.key][Side(trade.side)] += trade.quantity
    return {
        key: DayTrades(
            bought=max(theirs[key][Side.BUY], ours[key][Side.BUY]),
            sold=max(theirs[key][Side.SELL], ours[key][Side.SELL]),
        )
        for key in {*theirs, *ours}
    }


def expired_among(keys: Collection[str], *, now: datetime) -> frozenset[str]:
    """Name the contracts whose last session is over."""
    contracts = Instrument.objects.filter(key__in=keys, expiry__isnull=False)
    return frozenset(each.key for each in contracts if has_expired(each, now))


def pending_credits(
    account: TradingAccount,
    positions: Sequence[PositionReport],
    holdings: Sequence[HoldingReport],
    *,
    now: datetime,
) -> dict[str, int]:
    """Say of how many shares the broker need not tell yet; what it tells of has been credited.

    A bonus adds shares; a split gives the share a new number, so all of them may be under way.
    """
    rows = ShareCredit.objects.pending().filter(account=account).select_related("instrument")
    pending: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        key = row.instrument.key
        shown = sum(each.quantity for each in positions if each.instrument_key == key) + sum(
            each.quantity + each.t1_quantity for each in holdings if each.instrument_key == key
        )
        held = Position.objects.open().filter(account=account, instrument=row.instrument_id)
        ours = sum(held.values_list("quantity", flat=True))
        if shown >= ours and not account.is_paper:
            confirm_credit(row, now=now)
            continue
        is_bonus = row.kind == CorporateActionKind.BONUS
        pending[key] += row.pending_quantity if is_bonus else row.quantity_after
    return pending


def unsettled(
    account: TradingAccount, trades: Sequence[TradeReport], *, now: datetime
) -> dict[str, str]:
    """Say, by instrument, what a difference in it must wait for."""
    waiting: dict[str, str] = {}
    orders = Order.objects.filter(account=account)
    missing = MissingOrder.objects.filter(order__account=account)
    for key in missing.values_list("order__instrument__key", flat=True):
        waiting[key] = "An order that works at the broker is missing from its book"
    unbooked = unbooked_orders(account, now=now).values_list("instrument__key", flat=True)
    for key in {*unbooked, *_untold(account, trades), *_parked(account, now=now)}:
        waiting[key] = "Not every fill of its orders is booked yet"
    unsure = orders.filter(status=OrderStatus.SUBMITTING) | orders.not_known()
    for key in unsure.values_list("instrument__key", flat=True):
        waiting[key] = "An order in it may or may not be live"
    return waiting


def unbooked_orders(account: TradingAccount, *, now: datetime) -> OrderQuerySet:
    """The orders that the broker calls filled without having told of all their trades."""
    recent = Order.objects.filter(account=account, created_at__gt=now - UNBOOKED_WITHIN)
    return recent.filter(filled_quantity__gt=F("traded_quantity"))


def _untold(account: TradingAccount, trades: Sequence[TradeReport]) -> set[str]:
    """The instruments of trades that the broker tells of and that could not be recorded."""
    told = {report.trade_id: report.instrument_key for report in trades}
    recorded = Trade.objects.filter(account=account, broker_trade_id__in=told)
    booked = set(recorded.values_list("broker_trade_id", flat=True))
    return {key for trade_id, key in told.items() if trade_id not in booked}


def _parked(account: TradingAccount, *, now: datetime) -> set[str]:
    """The instruments of fills that wait for their order, and not for one that never came."""
    parked = ParkedReport.objects.filter(account=account, received_at__gt=now - UNBOOKED_WITHIN)
    return {str(each.get("instrument_key", "")) for each in parked.values_list("report", flat=True)}


def _is_overtaken(account: TradingAccount, reading: Reading) -> bool:
    rows = PositionDifference.objects.filter(account=account)
    last = rows.aggregate(last=Max("last_seen_at"))["last"]
    return last is not None and reading.read_at < last


def _let_go(
    known: Mapping[BookKey, PositionDifference], found: Sequence[Compared], reading: Reading
) -> None:
    still = {(each.instrument_key, each.product) for each in found}
    for book, row in known.items():
        if book not in still:
            row.state, row.last_seen_at = DifferenceState.GONE, reading.read_at
            is_over = book[0] in reading.expired
            row.reason = "It has expired" if is_over else "Both sides agree again"
            row.save(update_fields=["state", "last_seen_at", "reason"])


def _instruments(keys: Collection[str]) -> dict[str, Instrument]:
    return {each.key: each for each in Instrument.objects.filter(key__in=keys)}


def _new(account: TradingAccount, each: Compared, reading: Reading) -> PositionDifference:
    return PositionDifference(
        account=account,
        instrument_key=each.instrument_key,
        product=each.product,
        first_seen_at=reading.read_at,
        same_since=reading.read_at,
        last_seen_at=reading.read_at,
    )


def _sight(row: PositionDifference, each: Compared, reading: Reading, *, waits_for: str) -> bool:
    """Write one sighting of a difference; tell whether it may be adopted now."""
    before = None if row._state.adding else _sighting_of(row)
    sighting = seen(before, each, is_settled=not waits_for, at=reading.read_at)
    doubts = doubt(each, reading)
    if row.instrument is None:
        doubts = doubts or "The instrument is not known here: import the broker's list first"
    row.ours, row.theirs, row.price = each.ours, each.theirs, each.price
    row.same_since, row.last_seen_at = sighting.same_since, sighting.last_seen_at
    row.readings, row.is_doubted = sighting.readings, bool(doubts)
    row.reason = waits_for or doubts or "Waiting for a second reading that says the same"
    if row._state.adding:
        row.save(force_insert=True)
    else:
        row.save(update_fields=_SIGHTED)
    return sighting.is_believed and not doubts


def _sighting_of(row: PositionDifference) -> Sighting:
    return Sighting(
        row.ours, row.theirs, row.first_seen_at, row.same_since, row.last_seen_at, row.readings
    )

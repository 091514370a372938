"""The paper broker's exchange side: ticks and time come in, what changed goes out.

Everything is worked out on a draft first; only when something would change are the books locked,
read again and written in one transaction. A kill at any point leaves either all of it or none.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from brokers.adapters.paper.book import locked_books
from brokers.adapters.paper.closing import close_positions
from brokers.adapters.paper.keeper import Keeper
from brokers.adapters.paper.matching import Step, WorkingOrder, match_tick
from brokers.adapters.paper.sessions import is_session_over, phase_at, session_at
from brokers.gateway import AccountUpdate, BrokerStatus, QuoteTick
from brokers.models import PaperOrder
from brokers.terms import InstrumentType, OrderType, Side, Validity
from brokers.venue import CalendarUnknown, Phase, Venue, installed_venue

# A price older than this when it arrives says nothing about what could be traded now.
STALE_AFTER = timedelta(seconds=30)

_AUCTION = (Phase.CLOSING_PAUSE, Phase.CLOSING_AUCTION)
_Plan = Callable[[Keeper, Q], None]


def match(
    ticks: Sequence[QuoteTick], *, at: datetime, accounts: Collection[UUID] | None = None
) -> list[AccountUpdate]:
    """Let the ticks trade with the working orders; return the changes and fills they caused.

    Without ``accounts`` only those that live on the common clock take part; a replay names its own.
    """
    fresh = [tick for tick in ticks if tick.ltp > 0 and at - tick.at <= STALE_AFTER]
    if not fresh:
        return []

    def plan(keeper: Keeper, scope: Q) -> None:
        keys = {tick.key for tick in fresh}
        orders = _orders(scope & Q(contract__key__in=keys))
        by_key: dict[str, list[PaperOrder]] = defaultdict(list)
        for order in orders:
            by_key[order.contract.key].append(order)
        for tick in fresh:
            _match_one(by_key.get(tick.key, ()), tick, keeper)

    return _carry_out(plan, _scope(accounts), at=at)


def advance(*, at: datetime, accounts: Collection[UUID] | None = None) -> list[AccountUpdate]:
    """Let time pass: acknowledgements, session phases, intraday square-off, expired contracts.

    It also reports the changes made through the gateway that nobody was told of yet. Without
    ``accounts`` only those that live on the common clock take part; a replay names its own.
    """

    def plan(keeper: Keeper, scope: Q) -> None:
        orders = _orders(scope)
        for order in orders:
            _pass_time(order, at, keeper)
        close_positions(orders, scope, at=at, keeper=keeper)

    return _carry_out(plan, _scope(accounts), at=at)


def _scope(accounts: Collection[UUID] | None) -> Q:
    if accounts is None:
        return Q(book__account__own_clock=False)
    return Q(book__account__in=accounts)


def _carry_out(plan: _Plan, scope: Q, *, at: datetime) -> list[AccountUpdate]:
    venue = installed_venue()
    draft = Keeper(venue)
    plan(draft, scope)
    if not draft.book_ids:
        return []
    with transaction.atomic():
        books = locked_books(draft.book_ids)
        keeper = Keeper(venue)
        plan(keeper, scope & Q(book__in=list(books)))
        keeper.write(books, at=at)
    return keeper.updates()


def _orders(scope: Q) -> list[PaperOrder]:
    # Most ticks find nobody waiting, and this question costs a fifth of the next one.
    if not PaperOrder.objects.live().exists():
        return []
    live = PaperOrder.objects.live().filter(scope).select_related("contract", "book")
    # Sorted here: asked for an order, SQLite would walk the whole table for it.
    return sorted(live, key=lambda order: order.pk)


def _match_one(orders: Iterable[PaperOrder], tick: QuoteTick, keeper: Keeper) -> None:
    eligible = {order.pk: order for order in orders if _may_trade(order, tick, keeper.venue)}
    for order in eligible.values():
        _acknowledge(order, tick.at, keeper)
    steps = match_tick([_as_working(order) for order in eligible.values()], tick)
    for step in steps:
        _apply(step, eligible[step.order.number], tick, keeper)


def _may_trade(order: PaperOrder, tick: QuoteTick, venue: Venue) -> bool:
    if not order.is_working or order.live_at > tick.at:
        return False
    instrument = order.contract.ref()
    is_open = phase_at(venue, instrument, tick.at) is Phase.OPEN
    return is_open and session_at(venue, instrument, tick.at) == order.session_date


def _acknowledge(order: PaperOrder, at: datetime, keeper: Keeper) -> None:
    """Move an order that has reached the exchange from the broker's desk into the book."""
    if order.status not in (BrokerStatus.PLACED, BrokerStatus.QUEUED_AMO):
        return
    waits = OrderType(order.order_type).needs_trigger
    status = BrokerStatus.TRIGGER_PENDING if waits else BrokerStatus.OPEN
    keeper.change(order, status, at=at, why=order.message)


def _as_working(order: PaperOrder) -> WorkingOrder:
    order_type = OrderType(order.order_type)
    return WorkingOrder(
        number=order.pk,
        side=Side(order.side),
        instrument_type=InstrumentType(order.contract.instrument_type),
        lot_size=order.contract.lot_size,
        tick_size=order.contract.tick_size,
        order_type=order_type,
        validity=Validity(order.validity),
        remaining=order.remaining,
        live_at=order.live_at,
        limit=order.price if order_type.needs_price else order.cap,
        trigger=order.trigger_price,
        is_triggered=order.triggered_at is not None,
        is_resting=order.is_resting,
        chases=order.is_square_off,
    )


def _apply(step: Step, order: PaperOrder, tick: QuoteTick, keeper: Keeper) -> None:
    """Write one step of matching on the row; only what a client would hear of is told."""
    if not OrderType(order.order_type).needs_price:
        order.cap = step.order.limit
    order.is_resting = step.order.is_resting
    keeper.note(order)
    if step.order.is_triggered and order.triggered_at is None:
        order.triggered_at = tick.at
        keeper.change(order, BrokerStatus.OPEN, at=tick.at, why=f"Triggered at {tick.ltp:f}")
    if step.price is not None:
        keeper.fill(order, quantity=step.quantity, price=step.price, at=tick.at)
        is_whole = order.remaining == 0
        status = BrokerStatus.FILLED if is_whole else BrokerStatus.PARTIALLY_FILLED
        keeper.change(order, status, at=tick.at, why="" if is_whole else _why_it_waits(order))
    if step.is_cancelled:
        why = "Immediate or cancel: what did not trade at once is cancelled"
        keeper.change(order, BrokerStatus.CANCELLED, at=tick.at, why=why)


def _why_it_waits(order: PaperOrder) -> str:
    if order.cap is None:
        return ""
    return f"The rest waits at its protected price {order.cap:f}"


def _pass_time(order: PaperOrder, at: datetime, keeper: Keeper) -> None:
    if order.is_untold:
        keeper.report(order)
    if not order.is_working:
        return
    instrument = order.contract.ref()
    try:
        phase = keeper.venue.phase(instrument, at)
        is_over = is_session_over(keeper.venue, instrument, order.session_date, at)
    except CalendarUnknown:
        return  # Nothing is known of this moment, so nothing happens in it.
    if is_over:
        keeper.change(order, BrokerStatus.EXPIRED, at=at, why="The session ended")
    elif phase in _AUCTION and order.status == BrokerStatus.TRIGGER_PENDING:
        why = "Stop orders take no part in the closing auction"
        keeper.change(order, BrokerStatus.CANCELLED, at=at, why=why)
    elif phase in (Phase.PRE_OPEN, Phase.OPEN) and order.live_at <= at:
        _acknowledge_in_session(order, at, keeper)


def _acknowledge_in_session(order: PaperOrder, at: datetime, keeper: Keeper) -> None:
    """A queued order waits for its own session, even while an earlier one still trades."""
    if session_at(keeper.venue, order.contract.ref(), at) == order.session_date:
        _acknowledge(order, at, keeper)

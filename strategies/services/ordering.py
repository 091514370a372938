"""Turn recorded signals into orders, at most one each, whatever dies in between.

The order carries its signal's id as idempotency key. So a signal that is found again still
recorded, though its order was written, only learns of that order.
"""

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from brokers.models import TradingAccount
from brokers.terms import OrderType, Product, Side
from notifications.models import AlertLevel, NotificationType
from notifications.services import notify
from operations.errors import contained
from operations.events import publish
from operations.figures import rupees
from orders.models import Order, OrderSource
from orders.requests import OrderRequest
from orders.services.exiting import ExitRequest, NothingToExit, place_exits
from orders.services.placing import IdempotencyConflict, OrderInvalid
from orders.services.slicing import Placed, place_in_slices
from orders.states import OrderStatus
from portfolio.models import Position
from risk.selectors import Book, Closable, closable
from strategies.models import Signal, SignalStatus
from strategies.services.evaluating import held_quantities

_AT_ONCE = 500
_LATE = "No order was placed in time"


def place_signal_orders(
    now: datetime, *, accounts: Collection[TradingAccount] | None = None
) -> list[Order]:
    """Place the orders of all recorded signals, oldest first; too late ones expire.

    Without ``accounts``: every account that lives by the house's clock.
    """
    orders = []
    for signal in _waiting(accounts)[:_AT_ONCE]:
        with contained("placing a signal's order", account_id=signal.user_strategy.account_id):
            order = place_signal_order(signal, now=now)
            if order is not None:
                orders.append(order)
    return orders


def place_signal_order(signal: Signal, *, now: datetime) -> Order | None:
    """Place one signal's order and write down what became of it; None when there is no order.

    Above the freeze quantity it goes in slices, and the first of them is the signal's order.
    """
    order, obstacle = _written_before(signal), _obstacle(signal, now=now)
    if order is None and obstacle:
        _settle(signal, SignalStatus.EXPIRED, outcome=obstacle, now=now)
        return None
    outcome = ""
    try:
        # Slices that a worker which died has not written are placed by the same keys.
        if not obstacle:
            placed = _place(signal, now=now)
            order, outcome = placed.orders[0], placed.reason
    except (OrderInvalid, PermissionDenied, IdempotencyConflict, NothingToExit) as refusal:
        outcome = str(refusal)
    if order is None:
        _settle(signal, SignalStatus.REFUSED, outcome=outcome, now=now)
        return None
    if obstacle and signal.is_exit:
        outcome = _left_open(signal, obstacle)
    with transaction.atomic():
        if _record(signal, order, outcome, now=now) and obstacle and outcome:
            _tell_owner(signal, outcome, now=now, is_begun=True)
    return order


def _waiting(accounts: Collection[TradingAccount] | None) -> QuerySet[Signal]:
    related = ("instrument", "user_strategy__account__connection", "user_strategy__user")
    signals = Signal.objects.filter(status=SignalStatus.RECORDED).select_related(
        *related, "user_strategy__strategy", "user_strategy__account__workspace"
    )
    if accounts is None:
        signals = signals.filter(user_strategy__account__own_clock=False)
    else:
        signals = signals.filter(user_strategy__account__in=accounts)
    # Exits first: they free the money that entries of the same moment need.
    return signals.order_by(
        "created_at", "-is_exit", "user_strategy__strategy__slug", "instrument__key", "pk"
    )


def _written_before(signal: Signal) -> Order | None:
    return Order.objects.filter(
        workspace=signal.user_strategy.workspace_id,
        source=OrderSource.STRATEGY,
        idempotency_key=str(signal.pk),
    ).first()


def _obstacle(signal: Signal, *, now: datetime) -> str:
    if now >= signal.expires_at:
        return _LATE
    if not signal.user_strategy.is_active:
        return f"The strategy was {signal.user_strategy.get_status_display().lower()}"
    return _nothing_to_close(signal) if signal.is_exit else ""


def _left_open(signal: Signal, obstacle: str) -> str:
    """Say what an exit that had begun leaves open, and why; nothing where it leaves none."""
    left = min(_closable(signal).now, signal.quantity)
    if not left:
        return ""
    why = "it was too late" if obstacle == _LATE else f"{obstacle[0].lower()}{obstacle[1:]}"
    return f"{rupees(left, 0)} stay open, and no further order was placed: {why}. Exit by hand"


def _nothing_to_close(signal: Signal) -> str:
    may = _closable(signal)
    if may.now:
        return ""
    if may.later:
        return f"The position stays: {may.words}"
    held = held_quantities(signal.user_strategy, [signal.instrument_id])
    is_held = held.get(signal.instrument_id, 0) * Side(signal.signal_type).sign < 0
    is_closing = "is being closed" if is_held else "had been closed"
    return f"The position {is_closing} already"


def _closable(signal: Signal) -> Closable:
    """What is held and no order is closing yet."""
    activation = signal.user_strategy
    book = Book(activation.account, signal.instrument, Product(activation.product))
    return closable(book, Side(signal.signal_type), strategy=activation.pk)


def _place(signal: Signal, *, now: datetime) -> Placed:
    if signal.is_exit:
        return _place_exit(signal, now=now)
    activation = signal.user_strategy
    request = OrderRequest(
        account=activation.account,
        instrument=signal.instrument,
        side=Side(signal.signal_type),
        quantity=signal.quantity,
        order_type=OrderType.MARKET,
        product=Product(activation.product),
        user_strategy_id=activation.pk,
        source=OrderSource.STRATEGY,
    )
    return place_in_slices(request, user=activation.user, idempotency_key=str(signal.pk), now=now)


def _place_exit(signal: Signal, *, now: datetime) -> Placed:
    """Close at most what the signal saw."""
    activation = signal.user_strategy
    held = Position.objects.open().filter(
        account=activation.account_id,
        user_strategy=activation,
        product=activation.product,
        instrument=signal.instrument_id,
    )
    position = held.select_related("account", "instrument", "user").first()
    if position is None:
        raise NothingToExit("The position had been closed already")
    request = ExitRequest(
        activation.user, now, str(signal.pk), OrderSource.STRATEGY, at_most=signal.quantity
    )
    orders = list[Order]()
    try:
        orders.extend(place_exits(position, request))
    except OrderInvalid as error:
        if not orders:
            raise
        return Placed(tuple(orders), reason=str(error))
    return Placed(tuple(orders))


def _record(signal: Signal, order: Order, outcome: str, *, now: datetime) -> bool:
    """Write down the order that a signal has come to, as ``_settle`` does."""
    is_denied = order.state is OrderStatus.DENIED
    status = SignalStatus.REFUSED if is_denied else SignalStatus.ORDERED
    words = order.error_message if is_denied else outcome
    return _settle(signal, status, outcome=words, now=now, order=order)


@transaction.atomic
def _settle(
    signal: Signal,
    status: SignalStatus,
    *,
    outcome: str,
    now: datetime,
    order: Order | None = None,
) -> bool:
    """End a signal that is still recorded; answer whether it was."""
    settled = Signal.objects.filter(pk=signal.pk, status=SignalStatus.RECORDED).update(
        status=status, outcome=outcome[:300], order=order
    )
    if settled:
        activation = signal.user_strategy
        publish("signals", workspace_id=activation.workspace_id, subject_id=activation.pk, now=now)
        if order is None and (status is SignalStatus.REFUSED or outcome == _LATE):
            _tell_owner(signal, outcome, now=now)
    return bool(settled)


def _tell_owner(signal: Signal, outcome: str, *, now: datetime, is_begun: bool = False) -> None:
    """Say that a signal came to no order, or an exit to too few; of an order its owner is told by
    what becomes of it.
    """
    activation = signal.user_strategy
    if activation.account.own_clock:
        return
    how = "Not all ordered" if is_begun else "Not ordered"
    what = f"{signal.get_signal_type_display()} {rupees(signal.quantity, 0)}"
    notify(
        activation.user,
        kind=NotificationType.STRATEGY_SIGNAL,
        level=AlertLevel.WARNING,
        title=f"{how}: {what} {signal.instrument.trading_symbol}",
        message=f"{activation.strategy}: {outcome}",
        now=now,
        workspace=activation.workspace,
        data={"signal": str(signal.pk), "user_strategy": str(activation.pk)},
    )

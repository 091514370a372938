"""On the ex-date of a split, bonus or consolidation: books, stops, orders and contracts follow.

Orders at old prices are called off and their adjusted level is offered; nothing is placed again by
itself. What the exchange does to contracts on the share is named, not done: their strikes and lots
come with the next list.
"""

import uuid
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from brokers.models import TradingAccount
from brokers.registry import paper_exchange
from brokers.venue import CalendarUnknown
from market.calendar import IST, local_day, next_trading_day
from market.ex_dates import CHANGES_SHARES, elsewhere, forget_actions
from market.models import CorporateAction, CorporateActionKind
from market.quotes import forget_quotes, quote_of
from notifications.models import AlertLevel, Notification, NotificationType
from notifications.services import notify
from operations.errors import contained
from operations.figures import rupees
from operations.models import ErrorLog, Severity
from orders.lifecycle import IllegalTransition
from orders.models import Order
from orders.services.cancelling import cancel_order
from orders.states import OrderStatus
from portfolio.corporate_actions import restated_price
from portfolio.models import Position, ShareCredit
from portfolio.services.corporate_actions import (
    TradedSince,
    apply_action,
    confirm_credit,
    delivery_before,
    holders_of,
)
from risk.models import PositionExtreme

# Shares of a split or bonus are credited within two trading days of the record date.
_CREDITED_AFTER_DAYS = 2
_A_DAY = timedelta(days=1)


def follow_actions(*, now: datetime) -> int:
    """Take every action whose ex-date has come into the books; return how many accounts changed."""
    actions = CorporateAction.objects.filter(kind__in=CHANGES_SHARES, booked_at=None)
    actions = actions.exclude(factor=1)
    due = actions.filter(ex_date__lte=now.date() + _A_DAY)
    changed = 0
    # A split comes before a bonus of the same day.
    for action in due.select_related("instrument").order_by("ex_date", "-kind", "pk"):
        if local_day(action.instrument.exchange, now) >= action.ex_date:
            with contained("following a corporate action"):
                changed += _follow(action, now=now)
    _call_off_again(now=now)
    for row in ShareCredit.objects.pending().filter(account__connection__paper_trading=True):
        with contained("crediting shares", account_id=row.account_id):
            _credit_on_paper(row.pk, now=now)
    return changed


def _follow(action: CorporateAction, *, now: datetime) -> int:
    """Do all that follows of one action; each step may run twice, and the last one ends it."""
    quote = quote_of(action.instrument.key)
    if quote is not None and quote.session_date < action.ex_date:
        forget_quotes([action.instrument.key])
    _call_off_orders(action, now=now)
    changed = sum(_take_in(account, action, now=now) for account in holders_of(action))
    _name_contracts(action, now=now)
    copies = _end(action, now=now)
    forget_actions()
    return changed + sum(_follow(copy, now=now) for copy in copies)


@transaction.atomic
def _end(action: CorporateAction, *, now: datetime) -> list[CorporateAction]:
    """Note that it is booked, and record it where the share is listed besides.

    Not before: until then a person may correct or delete it, and a copy would stay behind.
    """
    CorporateAction.objects.filter(pk=action.pk).update(booked_at=now)
    done = CorporateAction.objects.filter(ex_date=action.ex_date, kind=action.kind)
    return [
        CorporateAction.objects.create(
            instrument=other,
            ex_date=action.ex_date,
            kind=action.kind,
            factor=action.factor,
            note=action.note,
        )
        for other in elsewhere(action.instrument).exclude(actions__in=done)
    ]


@transaction.atomic
def _take_in(account: TradingAccount, action: CorporateAction, *, now: datetime) -> bool:
    try:
        with transaction.atomic():
            row = apply_action(account, action, now=now)
    except TradedSince as error:
        title = f"{_what(action)} has not reached the books of {account.name}"
        words = f"{error}, so old and new shares are mixed. Compare with your broker and adjust."
        _tell(account, title, words, level=AlertLevel.CRITICAL, now=now)
        return False
    if row is None:
        return False
    for extreme in PositionExtreme.objects.filter(position__in=delivery_before(account, action)):
        extreme.best_price = restated_price(extreme.best_price, action.factor)
        extreme.save(update_fields=["best_price"])
    if account.is_paper and row.quantity_after < row.quantity_before:
        confirm_credit(row, now=now)
        taken = row.quantity_after - row.quantity_before
        paper_exchange().credit(account, action.instrument.key, taken, at=now)
    _tell(account, f"{_what(action)} is in the books", _words(row), level=AlertLevel.INFO, now=now)
    return True


@transaction.atomic
def _credit_on_paper(row_id: uuid.UUID, *, now: datetime) -> None:
    """Let the practice broker credit the shares, as a depository does some days later."""
    row = ShareCredit.objects.select_related("account", "instrument").get(pk=row_id)
    exchange = row.instrument.exchange
    if local_day(exchange, now) < _credited_on(exchange, row.ex_date):
        return
    if confirm_credit(row, now=now):
        come = row.pending_quantity
        paper_exchange().credit(row.account, row.instrument.key, come, at=now)


def _credited_on(exchange: str, ex_date: date) -> date:
    day = ex_date
    for _ in range(_CREDITED_AFTER_DAYS):
        try:
            day = next_trading_day(exchange, day)
        except CalendarUnknown:
            day += _A_DAY
    return day


def _call_off_orders(action: CorporateAction, *, now: datetime) -> None:
    """Cancel what was asked for in old shares, and offer its level in new ones."""
    midnight = datetime.combine(action.ex_date, time.min, IST)
    orders = Order.objects.alive().filter(instrument=action.instrument_id, created_at__lt=midnight)
    ours = orders.exclude(status=OrderStatus.CANCEL_PENDING).filter(account__own_clock=False)
    for order in ours.select_related("account__connection__user", "account__workspace"):
        try:
            with transaction.atomic():
                held = cancel_order(order, by=None, now=now, reason=f"{_what(action)}: old shares")
            done = "is cancelled" if held.state.is_final else "is being cancelled"
        except IllegalTransition as error:
            done = f"could not be cancelled ({error})"
        title = f"{order.side.title()} {rupees(order.quantity, 0)} {_symbol(action)} {done}"
        about = {"order": str(order.pk)}
        if not Notification.objects.filter(title=title, data=about).exists():
            words, level = _offer(order, action), AlertLevel.WARNING
            _tell(order.account, title, words, level=level, now=now, about=about)


def _call_off_again(*, now: datetime) -> None:
    """Cancel what a refused cancel, or an order that could not be cancelled yet, has left."""
    booked = CorporateAction.objects.filter(kind__in=CHANGES_SHARES, booked_at__isnull=False)
    left = booked.filter(instrument__in=Order.objects.alive().values("instrument"))
    for action in left.exclude(factor=1).select_related("instrument").order_by("ex_date", "pk"):
        with contained("calling off orders in old shares"):
            _call_off_orders(action, now=now)


def _offer(order: Order, action: CorporateAction) -> str:
    quantity = int(order.remaining_quantity * action.factor)
    prices = [
        f"{name} {rupees(_on_tick(price / action.factor, action.instrument.tick_size))}"
        for name, price in (("price", order.price), ("trigger", order.trigger_price))
        if price is not None
    ]
    level = ", ".join([rupees(quantity, 0), *prices])
    return f"It was asked for in old shares. In new ones it is {level}: place it again if you wish."


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick


def _name_contracts(action: CorporateAction, *, now: datetime) -> None:
    """Tell of contracts on the share: the exchange changes their strikes and lots, not we."""
    held = Position.objects.open().filter(
        instrument__underlying=_symbol(action),
        instrument__expiry__gte=action.ex_date,
        session_date__lt=action.ex_date,
        account__own_clock=False,
    )
    by_account: dict[TradingAccount, list[str]] = {}
    related = ("account__connection__user", "account__workspace", "instrument")
    for position in held.select_related(*related):
        by_account.setdefault(position.account, []).append(position.instrument.trading_symbol)
    for account, names in by_account.items():
        factor = f"{action.factor.normalize():f}"
        words = (
            f"{', '.join(sorted(names))}: the exchange divides strikes and futures' prices by "
            f"{factor} and multiplies lots and positions by it. That is not in the books here: "
            "profit shown of them is wrong until they are adjusted to your broker's figures."
        )
        title = f"{_what(action)}: contracts on it are adjusted"
        _tell(account, title, words, level=AlertLevel.CRITICAL, now=now)


def _symbol(action: CorporateAction) -> str:
    return action.instrument.trading_symbol


def _what(action: CorporateAction) -> str:
    is_fewer = action.factor < 1
    kind = "Consolidation" if is_fewer else CorporateActionKind(action.kind).label
    return f"{kind} of {_symbol(action)}"


def _words(row: ShareCredit) -> str:
    words = f"{rupees(row.quantity_before, 0)} shares are {rupees(row.quantity_after, 0)} now"
    if row.pending_quantity and row.credited_at is None:
        come = rupees(row.pending_quantity, 0)
        words += f"; {come} are not credited yet: they count in value and cannot be sold"
    if row.fraction:
        words += (
            f". The company pays {row.fraction.normalize():f} of a share in money, which is not "
            "booked: add it to the account's money when it comes"
        )
    return f"{words}."


def _tell(
    account: TradingAccount,
    title: str,
    message: str,
    *,
    level: AlertLevel,
    now: datetime,
    about: Mapping[str, str] | None = None,
) -> None:
    if level is AlertLevel.CRITICAL:
        ErrorLog.objects.create(
            error_type="CorporateAction",
            message=f"{account.name}: {title}. {message}",
            severity=Severity.CRITICAL,
            related_account_id=account.pk,
        )
    notify(
        account.connection.user,
        kind=NotificationType.RISK_ALERT,
        level=level,
        title=title,
        message=message,
        now=now,
        workspace=account.workspace,
        data=about,
    )

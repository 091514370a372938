"""What the order window says before an order is sent is what placing it answers."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import chain

from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from brokers.gateway import FundsReport, QuoteTick
from brokers.models import ConnectionStatus, TradingAccount
from brokers.terms import OrderType, Product, Side, Validity
from market.quotes import write_quotes
from operations.sentences import as_sentences
from orders.change_preview import refusal_of
from orders.models import Order
from orders.preview import Preview, preview_order
from orders.requests import OrderRequest
from orders.services.modifying import OrderChanges, modify_order
from orders.services.slicing import place_in_slices
from orders.validation import OrderInvalid
from portfolio.models import TradingSession
from portfolio.services import refresh_funds
from risk.models import Reservation, RiskRule, RuleType, TraderControl, Trading, TradingState
from tests.builders import NOW, make_account_at
from tests.orders.desk import Desk, make_desk
from tests.orders.test_cancelling import resting

Limits = tuple[tuple[RuleType, str], ...]
PRICES = st.sampled_from([None, "99.95", "100.00", "100.03", "104.90", "0.00"])
LIMITS = {
    RuleType.MAX_DRAWDOWN: ("1", "50"),
    RuleType.MIN_CAPITAL_THRESHOLD: ("500", "2000000"),
    RuleType.MAX_DAILY_LOSS: ("1", "5000"),
    RuleType.MAX_ORDERS_PER_DAY: ("1", "100"),
    RuleType.MAX_POSITION_SIZE: ("900", "100000000"),
    RuleType.MAX_LOTS: ("9", "1000000"),
    RuleType.PROFIT_LOCK: ("100", "5000"),
}


@dataclass(frozen=True)
class Setting:
    """One state of an account and of the market."""

    cash: str
    is_told: bool
    trading: Trading
    rules: Limits
    has_control: bool
    signed_in: bool
    reconciled: bool
    minutes_on: int
    quote_age: int | None
    held: int


def rules() -> st.SearchStrategy[Limits]:
    kinds = st.lists(st.sampled_from(list(LIMITS)), unique=True, max_size=3)
    return kinds.flatmap(
        lambda chosen: st.tuples(
            *(st.tuples(st.just(kind), st.sampled_from(LIMITS[kind])) for kind in chosen)
        )
    )


SETTINGS = st.builds(
    Setting,
    cash=st.sampled_from(["1", "500", "1000000"]),
    is_told=st.booleans(),
    trading=st.sampled_from([Trading.ACTIVE, Trading.ACTIVE, Trading.REDUCING, Trading.HALTED]),
    rules=rules(),
    has_control=st.booleans(),
    signed_in=st.sampled_from([True, True, True, False]),
    reconciled=st.sampled_from([True, True, True, False]),
    minutes_on=st.sampled_from([0, 0, 0, 287, 600, 24 * 60]),
    quote_age=st.sampled_from([0, 0, 3600, None]),
    held=st.sampled_from([0, 0, 10, -10]),
)
ORDERS = st.fixed_dictionaries(
    {
        "side": st.sampled_from(Side),
        "quantity": st.sampled_from([0, 1, 10, 11, 5000, 10**10]),
        "order_type": st.sampled_from(OrderType),
        "product": st.sampled_from(Product),
        "validity": st.sampled_from(Validity),
        "price": PRICES,
        "trigger_price": PRICES,
        "is_amo": st.booleans(),
    }
)


class TestPreviewAndPlacing(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(setting=SETTINGS, asked=st.lists(ORDERS, min_size=1, max_size=3))
    def test_answer_alike_in_every_word(
        self, setting: Setting, asked: list[dict[str, object]]
    ) -> None:
        desk = desk_in(setting)
        for number, fields in enumerate(asked):
            request = request_of(desk, fields)
            kept = (Order.objects.count(), Reservation.objects.count())
            told = preview_order(request, now=desk.now)
            assert (Order.objects.count(), Reservation.objects.count()) == kept
            assert words_of(told) == answer_to(request, desk, key=f"asked {number}")

    def test_find_the_money_a_first_day_begins_with(self) -> None:
        desk = make_desk()
        tell_funds(desk.account, "1000000")
        limit(desk, RuleType.MAX_DRAWDOWN, "50")
        told = words_of(preview_order(order_of(desk), now=desk.now))
        assert not TradingSession.objects.exists()
        assert (told, answer_to(order_of(desk), desk, key="first")) == ("goes", "goes")

    @override_settings(LIVE_TRADING=True)
    def test_answer_alike_on_a_first_day_at_a_real_broker(self) -> None:
        desk = make_desk()
        desk.account = live_account(desk)
        tell_funds(desk.account, "5000")
        limit(desk, RuleType.MIN_CAPITAL_THRESHOLD, "5001")
        told = words_of(preview_order(order_of(desk), now=desk.now))
        assert "Capital is 5,000.00; trading stops below 5,001.00" in told
        assert told == answer_to(order_of(desk), desk, key="first")


CHANGES = st.builds(
    OrderChanges,
    quantity=st.sampled_from([None, 1, 10, 11, 5000, 10**6]),
    price=st.sampled_from([None, Decimal("90.00"), Decimal("90.03"), Decimal("99.95")]),
)


class TestPreviewAndChanging(TestCase):
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        limits=rules(),
        trading=st.sampled_from([Trading.ACTIVE, Trading.HALTED]),
        asked=st.lists(CHANGES, min_size=1, max_size=2),
    )
    def test_answer_alike_in_every_word(
        self, limits: Limits, trading: Trading, asked: list[OrderChanges]
    ) -> None:
        desk = make_desk()
        order = resting(desk)
        for rule_type, value in limits:
            limit(desk, rule_type, value)
        set_trading(desk, trading)
        for changes in asked:
            told = refusal_of(order, changes, now=desk.now)
            assert told == answer_to_change(order, changes, desk)


class TestPreview(TestCase):
    def test_says_that_no_price_is_known(self) -> None:
        desk = make_desk()
        desk.now += timedelta(hours=1)
        told = preview_order(order_of(desk), now=desk.now)
        assert "No current price of RELIANCE is known" in words_of(told)

    def test_counts_what_another_order_blocks(self) -> None:
        desk = make_desk(cash="1000")
        desk.place(quantity=40)
        told = preview_order(order_of(desk, quantity=20), now=desk.now)
        assert told.margin is not None
        assert (told.margin.available, told.margin.is_short) == (Decimal(192), True)
        assert "192.00 is free" in words_of(told)


def desk_in(setting: Setting) -> Desk:
    desk = make_desk(cash=setting.cash)
    if setting.is_told:
        tell_funds(desk.account, setting.cash)
    if setting.held:
        desk.buy() if setting.held > 0 else desk.send(desk.place(Side.SELL))
        desk.trade("100.00")
        TradingSession.objects.filter(account=desk.account).delete()
    for rule_type, value in setting.rules:
        limit(desk, rule_type, value)
    if setting.has_control:
        TraderControl.objects.create(
            workspace=desk.account.workspace, control_type="RISK_LIMIT", activated_at=desk.now,
            order_value_limit=Decimal(5000), daily_loss_limit=Decimal(5000),
        )  # fmt: skip
    set_trading(desk, setting.trading)
    _stand_of_the_account(desk.account, setting)
    desk.now += timedelta(minutes=setting.minutes_on)
    if setting.quote_age is not None:
        seen_at = desk.now - timedelta(seconds=setting.quote_age)
        write_quotes([QuoteTick(desk.instrument.key, Decimal("100.00"), seen_at, 2_000_000)])
    return desk


def set_trading(desk: Desk, trading: Trading) -> None:
    if trading is not Trading.ACTIVE:
        TradingState.objects.create(
            workspace=desk.account.workspace, state=trading, reason="Enough.", changed_at=desk.now
        )


def _stand_of_the_account(account: TradingAccount, setting: Setting) -> None:
    if not setting.signed_in:
        account.connection.status = ConnectionStatus.DISCONNECTED
        account.connection.save(update_fields=["status"])
    if not setting.reconciled:
        account.reconciled_at = None
        account.save(update_fields=["reconciled_at"])


def live_account(desk: Desk) -> TradingAccount:
    account = make_account_at("angel", desk.account.workspace)
    account.live_enabled = True
    account.save(update_fields=["live_enabled"])
    return account


def tell_funds(account: TradingAccount, amount: str) -> None:
    """Let the broker tell the account's money, as its first reconciliation does."""
    money = Decimal(amount)
    report = FundsReport(money, margin_used=Decimal(0), available=money, opening_balance=money)
    refresh_funds(account, report, now=NOW)


def limit(desk: Desk, rule_type: RuleType, value: str) -> None:
    workspace = desk.account.workspace
    RiskRule.objects.create(
        workspace=workspace, user=desk.user, rule_type=rule_type, rule_value=Decimal(value)
    )


def order_of(desk: Desk, *, quantity: int = 10) -> OrderRequest:
    return OrderRequest(
        account=desk.account, instrument=desk.instrument, side=Side.BUY, quantity=quantity
    )


def request_of(desk: Desk, fields: dict[str, object]) -> OrderRequest:
    prices = {
        name: None if fields[name] is None else Decimal(str(fields[name]))
        for name in ("price", "trigger_price")
    }
    return replace(order_of(desk), **{**fields, **prices})  # type: ignore[arg-type]


def words_of(told: Preview) -> str:
    """What the window says; "goes" of an order that may."""
    if told.errors:
        return as_sentences(chain.from_iterable(told.errors.values()))
    assert told.decision is not None
    return as_sentences(each.message for each in told.decision.refusals) or "goes"


def answer_to(request: OrderRequest, desk: Desk, *, key: str) -> str:
    """What placing says, in the same form."""
    try:
        placed = place_in_slices(request, user=desk.user, idempotency_key=key, now=desk.now)
    except OrderInvalid as refusal:
        return str(refusal)
    return placed.orders[-1].error_message or "goes"


def answer_to_change(order: Order, changes: OrderChanges, desk: Desk) -> str:
    """What asking for it says, undone again; empty where it is taken."""
    point = transaction.savepoint()
    try:
        modify_order(order, changes=changes, by=desk.user, now=desk.now)
    except OrderInvalid as refusal:
        return str(refusal)
    transaction.savepoint_rollback(point)
    return ""

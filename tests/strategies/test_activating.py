"""Who may switch a strategy on, with what, and how it is paused and stopped."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Role
from accounts.services import create_workspace
from brokers.gateway import QuoteTick
from brokers.models import TradingAccount
from brokers.terms import InstrumentType, Product
from market.models import Instrument, Interval
from market.quotes import write_quotes
from orders.models import Order
from portfolio.models import Funds
from strategies.models import ActivationStatus, SignalStatus, UserStrategy
from strategies.services import (
    ActivationInvalid,
    ActivationNotChanged,
    ActivationRequest,
    activate_strategy,
    pause_activation,
    resume_activation,
    stop_activation,
)
from tests.builders import make_account, make_instrument, make_user
from tests.strategies.bars import OPENING
from tests.strategies.desk import (
    FIRST_CLOSE,
    hold,
    make_activation,
    make_paper_account,
    make_strategy,
    only_instrument,
)
from tests.strategies.test_ordering_signals import record_entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> TradingAccount:
    return make_paper_account()


@pytest.fixture
def request_(account: TradingAccount) -> ActivationRequest:
    """A request with nothing wrong about it."""
    return ActivationRequest(
        strategy=make_strategy(min_capital=Decimal(5000)),
        account=account,
        allocation=Decimal(10_000),
        instruments=(make_instrument(),),
    )


def activate(request: ActivationRequest) -> UserStrategy:
    return activate_strategy(request, user=request.account.workspace.owner, now=FIRST_CLOSE)


def refusal(request: ActivationRequest) -> Mapping[str, list[str]]:
    with pytest.raises(ActivationInvalid) as refused:
        activate(request)
    assert not UserStrategy.objects.filter(strategy=request.strategy).exists()
    return refused.value.errors


class TestPerson:
    def test_outside_the_workspace_is_refused(self, request_) -> None:
        with pytest.raises(PermissionDenied):
            activate_strategy(request_, user=make_user("ravi"), now=FIRST_CLOSE)

    def test_who_may_only_look_is_refused(self, request_) -> None:
        Membership.objects.update(role=Role.VIEWER)
        with pytest.raises(PermissionDenied):
            activate(request_)


class TestAccount:
    def test_that_is_switched_off_is_refused(self, request_) -> None:
        request_.account.is_active = False
        assert "account" in refusal(request_)

    def test_that_was_never_compared_with_its_broker_is_refused(self, request_) -> None:
        request_.account.reconciled_at = None
        assert "account" in refusal(request_)

    def test_for_real_money_that_is_not_turned_on_is_refused(self, request_) -> None:
        request_.account.connection.paper_trading = False
        assert refusal(request_)["account"] == ["Live trading is not turned on for Practice."]


class TestAllocation:
    @pytest.mark.parametrize("amount", ["0", "-1", "NaN"])
    def test_must_be_an_amount(self, request_, amount) -> None:
        assert "allocation" in refusal(replace(request_, allocation=Decimal(amount)))

    def test_below_what_the_strategy_needs_is_refused(self, request_) -> None:
        errors = refusal(replace(request_, allocation=Decimal("4999.99")))
        assert errors["allocation"] == ["Threshold needs at least ₹5,000.00."]

    def test_above_what_the_account_has_is_refused(self, request_) -> None:
        errors = refusal(replace(request_, allocation=Decimal("1000000.01")))
        assert errors["allocation"] == ["Practice has only ₹10,00,000.00 available."]

    def test_is_refused_where_nobody_knows_the_funds(self, request_) -> None:
        Funds.objects.all().delete()
        assert "not known" in refusal(request_)["allocation"][0]

    def test_whose_share_buys_no_lot_is_refused(self, request_) -> None:
        write_quotes([QuoteTick("NSE:RELIANCE", Decimal(10_001), FIRST_CLOSE)])
        assert "does not buy one lot" in refusal(request_)["allocation"][0]


class TestInstruments:
    def test_none_at_all_is_refused(self, request_) -> None:
        assert "instruments" in refusal(replace(request_, instruments=()))

    @pytest.mark.parametrize(
        "fields",
        [
            {"is_active": False},
            {"instrument_type": InstrumentType.INDEX},
            {"expiry": date(2026, 6, 16)},
            {"currency": "USD"},
        ],
    )
    def test_that_cannot_be_traded_are_refused(self, request_, fields) -> None:
        odd = make_instrument("NSE:ODD", **fields)
        assert "instruments" in refusal(replace(request_, instruments=(odd,)))


class TestChoices:
    def test_of_a_whole_day_are_refused(self, request_) -> None:
        assert "interval" in refusal(replace(request_, interval=Interval.D1))

    def test_of_a_bracket_order_are_refused(self, request_) -> None:
        assert "product" in refusal(replace(request_, product=Product.BO))

    def test_of_short_delivery_are_refused(self, request_) -> None:
        short = replace(request_, product=Product.CNC, custom_parameters={"allow_short": True})
        assert refusal(short)["product"] == ["Delivery (CNC) cannot be sold short."]


class TestParameters:
    def test_out_of_their_limits_are_refused(self, request_) -> None:
        wild = replace(request_, custom_parameters={"buy_threshold": "1e9"})
        assert "buy_threshold" in refusal(wild)

    def test_nobody_knows_are_refused(self, request_) -> None:
        assert "magic" in refusal(replace(request_, custom_parameters={"magic": 1}))

    def test_that_contradict_each_other_are_refused(self, request_) -> None:
        crossed = replace(request_, custom_parameters={"buy_threshold": "80"})
        assert "sell_threshold" in refusal(crossed)

    def test_of_ones_own_overlay_the_catalogues(self, request_) -> None:
        activation = activate(replace(request_, custom_parameters={"buy_threshold": "110"}))
        assert activation.custom_parameters == {"buy_threshold": "110"}
        assert activation.parameters["sell_threshold"] == "90"


class TestStrategy:
    def test_of_another_workspace_is_refused(self, request_) -> None:
        request_.strategy.workspace = create_workspace(make_user("ravi"), name="Elsewhere")
        request_.strategy.save(update_fields=["workspace"])
        assert "strategy" in refusal(request_)

    def test_runs_once_on_an_account(self, request_) -> None:
        activate(request_)
        with pytest.raises(ActivationInvalid) as refused:
            activate(request_)
        assert list(refused.value.errors) == ["strategy"]

    def test_may_run_again_once_stopped(self, request_) -> None:
        first = activate(request_)
        stop_activation(first, by=first.user, now=FIRST_CLOSE)
        assert activate(request_).status == ActivationStatus.ACTIVE

    def test_runs_on_another_account_as_well(self, request_) -> None:
        activate(request_)
        other = make_account(request_.account.workspace, "Other")
        Funds.objects.create(
            workspace=other.workspace,
            account=other,
            available_balance=Decimal(10_000),
            sod_limit=Decimal(10_000),
            as_of=OPENING,
        )
        assert activate(replace(request_, account=other)).account == other


class TestPause:
    def test_is_refused_to_a_stranger(self, request_) -> None:
        activation = activate(request_)
        with pytest.raises(PermissionDenied):
            pause_activation(activation, by=make_user("ravi"), now=FIRST_CLOSE)

    def test_is_refused_once_stopped(self, request_) -> None:
        activation = activate(request_)
        stop_activation(activation, by=activation.user, now=FIRST_CLOSE)
        with pytest.raises(ActivationNotChanged, match="Threshold is stopped"):
            pause_activation(activation, by=activation.user, now=FIRST_CLOSE)

    def test_and_resume_bring_it_back(self, request_) -> None:
        activation = activate(request_)
        pause_activation(activation, by=activation.user, now=FIRST_CLOSE)
        assert not activation.is_active
        resume_activation(activation, by=activation.user, now=FIRST_CLOSE)
        activation.refresh_from_db()
        assert activation.is_active

    def test_is_not_ended_while_the_account_cannot_trade(self, request_) -> None:
        activation = activate(request_)
        pause_activation(activation, by=activation.user, now=FIRST_CLOSE)
        activation.account.is_active = False
        with pytest.raises(ActivationNotChanged, match="switched off"):
            resume_activation(activation, by=activation.user, now=FIRST_CLOSE)


class TestStop:
    def test_is_for_good(self, request_) -> None:
        activation = activate(request_)
        stop_activation(activation, by=activation.user, now=FIRST_CLOSE)
        assert activation.deactivated_at == FIRST_CLOSE
        with pytest.raises(ActivationNotChanged):
            resume_activation(activation, by=activation.user, now=FIRST_CLOSE)

    def test_drops_the_signals_that_wait(self) -> None:
        signal = record_entry()
        stop_activation(signal.user_strategy, by=signal.user_strategy.user, now=FIRST_CLOSE)
        signal.refresh_from_db()
        assert (signal.status, signal.outcome) == (SignalStatus.EXPIRED, "The strategy was stopped")

    def test_leaves_the_positions_unless_asked(self) -> None:
        activation = make_activation(account=make_paper_account())
        hold(activation, only_instrument(activation), 10)
        stop_activation(activation, by=activation.user, now=FIRST_CLOSE)
        assert not Order.objects.exists()

    def test_closes_its_positions_when_asked(self) -> None:
        activation = make_activation(account=make_paper_account())
        instrument: Instrument = only_instrument(activation)
        hold(activation, instrument, 10)
        write_quotes([QuoteTick(instrument.key, Decimal(100), FIRST_CLOSE, 1000)])
        stopped = stop_activation(
            activation, by=activation.user, now=FIRST_CLOSE, exits_positions=True
        )
        [order] = stopped.exits
        assert (order.side, order.quantity, order.is_exit) == ("SELL", 10, True)

    def test_tells_which_positions_could_not_be_closed(self) -> None:
        activation = make_activation(account=make_paper_account())
        hold(activation, only_instrument(activation), 10)
        night = OPENING.replace(hour=20)
        stopped = stop_activation(activation, by=activation.user, now=night, exits_positions=True)
        assert "market is closed" in stopped.complaints[0]
        assert activation.status == ActivationStatus.STOPPED

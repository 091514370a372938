from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Membership, Role, UserStatus
from brokers.terms import Side
from market.models import Instrument
from notifications.models import Notification
from orders.models import Order, OrderEvent
from orders.requests import OrderRequest
from orders.services.placing import IdempotencyConflict, OrderInvalid, place_order
from orders.states import OrderStatus
from risk.models import Reservation, RiskRule, RiskViolation, RuleType
from tests.builders import make_user
from tests.orders.desk import make_desk

pytestmark = pytest.mark.django_db


class TestAStranger:
    def test_cannot_trade_in_the_workspace(self) -> None:
        desk = make_desk()
        desk.user = make_user("mallory")
        with pytest.raises(PermissionDenied, match="not a member"):
            desk.place()
        assert not Order.objects.exists()

    def test_who_only_looks_on_cannot_trade(self) -> None:
        desk = make_desk()
        viewer = make_user("vik")
        Membership.objects.create(workspace=desk.account.workspace, user=viewer, role=Role.VIEWER)
        desk.user = viewer
        with pytest.raises(PermissionDenied, match="viewer"):
            desk.place()

    @pytest.mark.parametrize("status", [UserStatus.BLOCKED, UserStatus.INACTIVE])
    def test_whose_access_was_taken_cannot_trade(self, status: UserStatus) -> None:
        desk = make_desk()
        desk.user.status = status
        with pytest.raises(PermissionDenied, match="access"):
            desk.place()

    def test_whose_access_has_run_out_cannot_trade(self) -> None:
        desk = make_desk()
        desk.user.access_until = desk.now - timedelta(seconds=1)
        with pytest.raises(PermissionDenied, match="access"):
            desk.place()


class TestAnInvalidOrder:
    @pytest.mark.parametrize(
        ("quantity", "words"),
        [(0, "at least 1"), (-10, "at least 1"), (2**63, "cannot exceed")],
    )
    def test_of_an_impossible_quantity_is_refused(self, quantity: int, words: str) -> None:
        with pytest.raises(OrderInvalid, match=words) as refused:
            make_desk().place(quantity=quantity)
        assert list(refused.value.errors) == ["quantity"]

    @pytest.mark.parametrize("field", ["tp_price", "sl_price"])
    def test_with_a_price_that_nothing_acts_on_is_refused(self, field: str) -> None:
        desk = make_desk()
        asked: dict[str, Any] = {field: Decimal("95.00")}
        request = OrderRequest(
            account=desk.account, instrument=desk.instrument, side=Side.BUY, quantity=10, **asked
        )
        with pytest.raises(OrderInvalid, match="an order of its own") as refused:
            place_order(request, user=desk.user, idempotency_key="k", now=desk.now)
        assert list(refused.value.errors) == [field]

    def test_at_a_broker_that_nobody_knows_is_refused_in_words(self) -> None:
        desk = make_desk()
        desk.account.connection.broker_type = "nobody"
        with pytest.raises(OrderInvalid, match="No broker is called nobody"):
            desk.place()

    def test_off_the_lot_is_refused(self) -> None:
        desk = make_desk()
        desk.instrument.lot_size = 25
        with pytest.raises(OrderInvalid, match="multiple of the lot, 25"):
            desk.place(quantity=30)

    def test_above_the_freeze_quantity_is_told_the_largest_part(self) -> None:
        desk = make_desk()
        desk.instrument.lot_size, desk.instrument.freeze_quantity = 65, 1800
        with pytest.raises(OrderInvalid, match="at most 1,755"):
            desk.place(quantity=1820)

    @pytest.mark.parametrize("price", ["100.03", "0.00", "-5.00", "NaN", "Infinity"])
    def test_at_an_impossible_price_is_refused(self, price: str) -> None:
        with pytest.raises(OrderInvalid) as refused:
            make_desk().place(limit=price)
        assert list(refused.value.errors) == ["price"]

    @pytest.mark.parametrize("trigger", ["NaN", "Infinity", "-1.00", "105.03"])
    def test_with_an_impossible_trigger_is_refused(self, trigger: str) -> None:
        with pytest.raises(OrderInvalid) as refused:
            make_desk().place(limit="110.00", trigger=trigger)
        assert "trigger_price" in refused.value.errors

    @pytest.mark.parametrize(
        ("side", "trigger", "words"),
        [(Side.BUY, "99.00", "above the last price"), (Side.SELL, "101.00", "below the last")],
    )
    def test_with_its_trigger_on_the_wrong_side_is_refused(
        self, side: Side, trigger: str, words: str
    ) -> None:
        with pytest.raises(OrderInvalid, match=words):
            make_desk().place(side, trigger=trigger)

    def test_of_an_index_is_refused(self) -> None:
        desk = make_desk()
        desk.instrument.instrument_type = "INDEX"
        with pytest.raises(OrderInvalid, match="is an index"):
            desk.place()

    def test_of_an_expired_contract_is_refused(self) -> None:
        desk = make_desk()
        desk.instrument.expiry = desk.now.date() - timedelta(days=1)
        with pytest.raises(OrderInvalid, match="expired on"):
            desk.place()

    def test_outside_the_session_is_refused(self) -> None:
        desk = make_desk()
        desk.now += timedelta(hours=10)
        with pytest.raises(OrderInvalid, match="market is closed"):
            desk.place()

    def test_beyond_the_calendar_is_refused(self) -> None:
        desk = make_desk()
        desk.now += timedelta(days=4000)
        with pytest.raises(OrderInvalid, match="calendar"):
            desk.place()

    def test_names_every_wrong_field_at_once(self) -> None:
        with pytest.raises(OrderInvalid) as refused:
            make_desk().place(quantity=0, limit="0.01")
        assert sorted(refused.value.errors) == ["price", "quantity"]

    def test_leaves_nothing_behind(self) -> None:
        desk = make_desk()
        with pytest.raises(OrderInvalid):
            desk.place(quantity=0)
        assert not Order.objects.exists()
        assert not Reservation.objects.exists()


class TestAnOrderThatRiskRefuses:
    def test_is_written_as_denied_with_the_reason(self) -> None:
        desk = make_desk(cash="100")
        order = desk.place(quantity=1000)
        assert order.state is OrderStatus.DENIED
        assert "is free" in order.error_message

    def test_records_the_violation_with_its_numbers(self) -> None:
        desk = make_desk()
        RiskRule.objects.create(
            workspace=desk.account.workspace,
            user=desk.user,
            rule_type=RuleType.MAX_POSITION_SIZE,
            rule_value=Decimal(500),
        )
        order = desk.place(quantity=10)
        violation = RiskViolation.objects.get(order=order)
        assert (violation.actual_value, violation.limit_value) == (Decimal(1000), Decimal(500))

    def test_reserves_nothing_and_tells_its_owner(self) -> None:
        desk = make_desk(cash="100")
        desk.place(quantity=1000)
        assert not Reservation.objects.exists()
        assert Notification.objects.get().title.endswith("refused by risk")

    def test_without_a_current_price_says_so(self) -> None:
        desk = make_desk()
        desk.now += timedelta(minutes=5)
        assert "No current price" in desk.place().error_message


class TestAPlacedOrder:
    def test_is_pending_with_a_tag_of_its_own(self) -> None:
        order = make_desk().place()
        assert order.state is OrderStatus.PENDING
        assert len(order.tag) == 20

    def test_reserves_what_it_may_become(self) -> None:
        order = make_desk().place(quantity=7)
        assert Reservation.objects.get(order_id=order.pk).quantity == 7

    def test_begins_its_history(self) -> None:
        order = make_desk().place()
        event = OrderEvent.objects.get(order=order)
        assert (event.sequence, event.to_status) == (1, OrderStatus.PENDING)

    def test_keeps_the_margin_it_was_judged_by(self) -> None:
        order = make_desk().place(quantity=10, limit="100.00")
        assert order.margin_requirement.total_margin > 0


class TestTheSameKey:
    def test_with_the_same_order_answers_the_order_written(self) -> None:
        desk = make_desk()
        assert desk.place(key="k1") == desk.place(key="k1")
        assert Order.objects.count() == 1

    def test_with_another_order_is_a_conflict(self) -> None:
        desk = make_desk()
        desk.place(key="k1", quantity=1)
        with pytest.raises(IdempotencyConflict):
            desk.place(key="k1", quantity=2)

    def test_beyond_its_length_is_refused(self) -> None:
        with pytest.raises(OrderInvalid, match="characters"):
            make_desk().place(key="x" * 512)

    def test_may_be_used_by_another_workspace(self) -> None:
        make_desk("asha").place(key="k1")
        make_desk("bela").place(key="k1")
        assert Order.objects.count() == 2
        assert Instrument.objects.count() == 1

"""A person accepts the broker's figure: only the one that was shown, once, and never blindly."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import Membership, Role, User
from brokers.gateway import Unknown
from orders.models import EventSource, Order, OrderSource
from orders.services.accepting import Acceptance, NotAcceptable, accept_difference
from orders.states import OrderStatus
from portfolio.models import DifferenceState, Position, PositionDifference
from tests.builders import make_user
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk
from tests.orders.live_desk import (
    broker_positions,
    held,
    make_live_desk,
    moved,
    reconcile,
    saying,
    the_difference,
)

pytestmark = pytest.mark.django_db
WHY = "Sold by phone, contract note 4711"


@pytest.fixture
def desk(settings: Settings) -> Desk:
    """Ten bought today, of which the broker tells nothing at all: that is doubted."""
    desk = make_live_desk(settings)
    desk.buy(10)
    assert reconcile(desk).agrees
    with saying([]):
        for _ in range(3):
            reconcile(desk, after=30)
    assert the_difference().is_doubted
    return desk


def accept(
    desk: Desk, *, ours: int = 10, theirs: int = 0, reason: str = WHY, by: User | None = None
) -> PositionDifference:
    desk.now += timedelta(seconds=30)
    acceptance = Acceptance(ours, theirs, reason, by or desk.user)
    row = PositionDifference.objects.order_by("first_seen_at").first()
    assert row is not None
    return accept_difference(row, acceptance, clock=desk.clock)


def adjustments() -> int:
    return Order.objects.filter(source=OrderSource.ADJUSTMENT).count()


class TestAcceptingIsRefused:
    @pytest.fixture(autouse=True)
    def nothing_is_booked(self, desk: Desk) -> Iterator[None]:
        yield
        assert adjustments() == 0
        assert Position.objects.open().get().quantity == 10

    def test_to_a_viewer(self, desk: Desk) -> None:
        viewer = make_user("viewer")
        Membership.objects.create(workspace=desk.account.workspace, user=viewer, role=Role.VIEWER)
        with saying([]), pytest.raises(PermissionDenied):
            accept(desk, by=viewer)

    def test_to_a_stranger(self, desk: Desk) -> None:
        with saying([]), pytest.raises(PermissionDenied):
            accept(desk, by=make_user("stranger"))

    def test_without_a_reason(self, desk: Desk) -> None:
        with saying([]), pytest.raises(NotAcceptable, match="Say why"):
            accept(desk, reason="  ")

    def test_when_the_broker_cannot_be_read(self, desk: Desk) -> None:
        with answering(deaf=True), pytest.raises(NotAcceptable, match="could not be read"):
            accept(desk)

    def test_when_the_broker_says_otherwise_by_now(self, desk: Desk) -> None:
        with saying(moved(desk, 4)), pytest.raises(NotAcceptable, match="4 at the broker now"):
            accept(desk)
        assert the_difference().theirs == 4

    def test_when_our_side_is_not_what_was_shown(self, desk: Desk) -> None:
        with saying([]), pytest.raises(NotAcceptable, match="10 here"):
            accept(desk, ours=12)

    def test_when_both_sides_agree_by_now(self, desk: Desk) -> None:
        with pytest.raises(NotAcceptable, match="agree now"):
            accept(desk)
        assert the_difference().state == DifferenceState.GONE

    def test_while_an_order_of_it_may_be_live(self, desk: Desk) -> None:
        PositionDifference.objects.update(state=DifferenceState.GONE)
        with answering(place=Unknown("read timed out")):
            lost = desk.send(desk.place(limit="90.00"))
        assert lost.state is OrderStatus.UNKNOWN
        PositionDifference.objects.update(state=DifferenceState.OPEN)
        with saying([]), pytest.raises(NotAcceptable, match="counted twice"):
            accept(desk)

    def test_while_fills_of_it_are_not_booked(self, desk: Desk) -> None:
        Order.objects.update(filled_quantity=10, traded_quantity=9)
        with saying([], trades=[]), pytest.raises(NotAcceptable, match="counted twice"):
            accept(desk)


class TestAnInstrumentThatIsNotKnownHere:
    def test_cannot_be_accepted(self, settings: Settings) -> None:
        desk = make_live_desk(settings)
        desk.buy(10)
        with saying([*broker_positions(desk), held(desk, 3, key="NSE:NOBODY")]):
            reconcile(desk)
            with pytest.raises(NotAcceptable, match="import"):
                accept(desk, ours=0, theirs=3)


class TestAccepting:
    def test_brings_the_books_to_the_brokers_figure(self, desk: Desk) -> None:
        with saying([]):
            row = accept(desk)
        assert row.state == DifferenceState.ADJUSTED
        assert not Position.objects.open().exists()

    def test_makes_the_account_agree(self, desk: Desk) -> None:
        with saying([]):
            accept(desk)
            desk.account.refresh_from_db()
            assert desk.account.reconciled_at == desk.now
            assert reconcile(desk, after=30).agrees

    def test_writes_down_who_and_why(self, desk: Desk) -> None:
        with saying([]):
            accept(desk)
        event = Order.objects.get(source=OrderSource.ADJUSTMENT).events.get(event_type="ADJUSTED")
        assert event.event_source == EventSource.MANUAL
        assert event.event_data == {"by": str(desk.user.pk), "reason": WHY}
        assert f"accepted by {desk.user.name}: {WHY}" in event.message

    def test_twice_books_once(self, desk: Desk) -> None:
        with saying([]):
            first, second = accept(desk), accept(desk)
        assert first.adjustment_id == second.adjustment_id
        assert adjustments() == 1

    def test_from_a_second_page_that_was_read_before_books_once(self, desk: Desk) -> None:
        stale = the_difference()
        with saying([]):
            accept(desk)
            accept_difference(stale, Acceptance(10, 0, WHY, desk.user), clock=desk.clock)
        assert adjustments() == 1
        assert not PositionDifference.objects.open().exists()

    def test_takes_a_figure_that_is_not_doubted_at_once(self, desk: Desk) -> None:
        with saying(moved(desk, 7)):
            reconcile(desk, after=30)
            accept(desk, theirs=7)
        assert Position.objects.open().get().quantity == 7

    def test_can_be_rebuilt_from_its_trades(self, desk: Desk) -> None:
        with saying([]):
            accept(desk)
        call_command("rebuild_books", "--check")


class TestTheCommand:
    def test_lists_what_is_open_and_why_it_is_doubted(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("settle_difference")
        listed = capsys.readouterr().out
        assert str(the_difference().pk) in listed
        assert "10 here, 0 at the broker" in listed and "Doubted" in listed

    def test_refuses_to_guess_what_is_accepted(self, desk: Desk) -> None:
        with pytest.raises(CommandError, match="--here"):
            call_command("settle_difference", str(the_difference().pk), "--by", "asha")

    def test_refuses_a_figure_that_has_changed(self, desk: Desk) -> None:
        with pytest.raises(CommandError, match="It has changed"):
            self.settle(desk, theirs="4")
        assert adjustments() == 0

    def test_accepts_the_figure_that_was_listed(self, desk: Desk) -> None:
        self.settle(desk, theirs="0")
        assert the_difference().state == DifferenceState.ADJUSTED

    def settle(self, desk: Desk, *, theirs: str) -> None:
        named = ["settle_difference", str(the_difference().pk), "--here", "10"]
        with saying([]), time_machine.travel(desk.now + timedelta(seconds=30), tick=False):
            call_command(*named, "--broker", theirs, "--by", "asha", "--reason", WHY)


def test_an_acceptance_says_its_price(desk: Desk) -> None:
    with saying([]):
        accept(desk)
    assert Order.objects.get(source=OrderSource.ADJUSTMENT).trades.get().price == Decimal("100.00")

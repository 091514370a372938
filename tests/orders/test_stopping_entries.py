"""Whatever stops entries also cancels those that rest, and leaves whatever closes a position."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.models import Membership, Role, UserStatus
from accounts.services import change_role, remove_member, set_user_status
from brokers.gateway import Unknown
from brokers.models import TradingAccount
from brokers.terms import Side
from notifications.models import Notification
from orders.models import Order
from orders.services.stopping import sweep_stopped_entries
from orders.states import OrderStatus
from orders.tasks import sweep_orders
from portfolio.models import Position
from risk.models import Reservation, RuleType, Trading
from risk.services import engage_kill_switch, set_trading_state
from risk.services.switching import Cause, Scope
from tests.builders import make_user
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk
from tests.orders.test_exits_from_outside import stop_outside
from tests.risk.test_judging import limit
from trading_site.watching import watch_account

pytestmark = pytest.mark.django_db
Stop = Callable[[Desk], None]


def long_with_a_resting_buy() -> tuple[Desk, Order]:
    """Long 100 at 100, and a BUY of 100 more resting at 90."""
    desk = make_desk()
    desk.buy(100)
    order = desk.send(desk.place(limit="90.00", quantity=100))
    desk.trade("100.00")
    return desk, order


def reach_the_daily_loss(desk: Desk) -> None:
    limit(desk, RuleType.MAX_DAILY_LOSS, "500")
    fall(desk)


def fall_below_the_least_capital(desk: Desk) -> None:
    limit(desk, RuleType.MIN_CAPITAL_THRESHOLD, "999500")
    fall(desk)


def fall(desk: Desk) -> None:
    for _ in range(3):
        desk.trade("94.00")
        watch_account(desk.account, now=desk.now)


def set_by_page(state: str) -> Stop:
    def stop(desk: Desk) -> None:
        post(desk, "/risk/state/", {"account": str(desk.account.pk), "state": state})

    return stop


def halt_by_page(desk: Desk) -> None:
    key = "0190a5a0-0000-7000-8000-000000000000"
    post(desk, "/orders/halt/", {"word": "HALT", "key": key, "reason": "Panic"})


def post(desk: Desk, url: str, typed: dict[str, str]) -> None:
    client = Client()
    client.force_login(desk.user)
    with time_machine.travel(desk.now, tick=False):
        assert client.post(url, typed).status_code == 302


def halt_by_command(desk: Desk) -> None:
    with time_machine.travel(desk.now, tick=False):
        call_command("kill_switch", "engage", stdout=StringIO())


def reduce_by_command(desk: Desk) -> None:
    with time_machine.travel(desk.now, tick=False):
        call_command("trading_state", "REDUCING", "--workspace", "Desk", stdout=StringIO())


def switch_the_account_off(desk: Desk) -> None:
    TradingAccount.objects.update(is_active=False)
    sweep(desk)


def end_access(desk: Desk) -> None:
    desk.user.access_until = desk.now
    desk.user.save()
    sweep(desk)


def block(desk: Desk) -> None:
    set_user_status(desk.user, status=UserStatus.BLOCKED, by=desk.user, now=desk.now)
    sweep(desk)


def other_owner(desk: Desk) -> Membership:
    workspace, bela = desk.account.workspace, make_user("bela")
    Membership.objects.create(workspace=workspace, user=bela, role=Role.OWNER)
    return workspace.memberships.get(user=desk.user)


def demote(desk: Desk) -> None:
    change_role(other_owner(desk), role=Role.VIEWER, by=desk.user)
    sweep(desk)


def leave(desk: Desk) -> None:
    remove_member(other_owner(desk), by=desk.user)
    sweep(desk)


def sweep(desk: Desk) -> None:
    with time_machine.travel(desk.now, tick=False):
        sweep_orders()


STOPS = [
    reach_the_daily_loss,
    fall_below_the_least_capital,
    set_by_page("REDUCING"),
    set_by_page("HALTED"),
    halt_by_page,
    halt_by_command,
    reduce_by_command,
    switch_the_account_off,
    end_access,
    block,
    demote,
    leave,
]


class TestARestingEntry:
    @pytest.mark.parametrize("stop", STOPS)
    def test_does_not_fill_after_a_stop(self, stop: Stop) -> None:
        desk, order = long_with_a_resting_buy()
        stop(desk)
        for _ in range(2):
            desk.trade("89.00")
        order.refresh_from_db()
        assert order.state is OrderStatus.CANCELLED
        assert Position.objects.open().get().quantity == 100

    def test_that_has_partly_filled_keeps_what_it_has(self) -> None:
        desk, order = long_with_a_resting_buy()
        desk.trade("89.00", volume=160)
        engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        desk.trade("89.00")
        order.refresh_from_db()
        assert (order.state, order.filled_quantity) == (OrderStatus.CANCELLED, 40)

    def test_of_an_account_that_is_not_stopped_stays(self) -> None:
        desk, order = long_with_a_resting_buy()
        other = make_desk("bela")
        engage_kill_switch(other.account.workspace, by=None, reason="drill", now=desk.now)
        order.refresh_from_db()
        assert order.state is OrderStatus.OPEN

    def test_is_asked_for_once_however_often_trading_is_stopped(self) -> None:
        desk, order = long_with_a_resting_buy()
        for _ in range(3):
            engage_kill_switch(None, by=None, reason="drill", now=desk.now)
            sweep_stopped_entries(now=desk.now)
        assert order.events.filter(event_type="ASK_CANCEL").count() == 1

    def test_whose_news_was_lost_is_found_by_the_sweep(self) -> None:
        desk, order = long_with_a_resting_buy()
        number, mine = order.broker_order_id, Order.objects.filter(pk=order.pk)
        mine.update(status=OrderStatus.UNKNOWN, broker_order_id="")
        halted = engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        assert halted.cancelled.count == 0
        mine.update(status=OrderStatus.OPEN, broker_order_id=number)
        assert sweep_stopped_entries(now=desk.now) == 1


class TestWhatOnlyCloses:
    def halt(self, desk: Desk) -> None:
        scope = Scope(desk.account.workspace)
        set_trading_state(scope, Trading.HALTED, cause=Cause("drill"), now=desk.now)

    def state_of(self, order: Order) -> OrderStatus:
        order.refresh_from_db()
        return order.state

    def test_stays(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stop = desk.send(desk.place(Side.SELL, 100, trigger="95.00"))
        desk.trade("100.00")
        self.halt(desk)
        assert self.state_of(stop) is OrderStatus.TRIGGER_PENDING

    def test_stays_though_it_was_placed_before_its_entry_had_filled(self) -> None:
        desk = make_desk()
        stop = desk.send(desk.place(Side.SELL, 100, trigger="95.00"))
        desk.buy(100)
        self.halt(desk)
        assert self.state_of(stop) is OrderStatus.TRIGGER_PENDING
        assert stop.is_exit
        assert Reservation.objects.get(order_id=stop.pk).is_exit

    def test_and_more_than_that_is_cancelled(self) -> None:
        desk = make_desk()
        desk.buy(100)
        flip = desk.send(desk.place(Side.SELL, 150, limit="120.00"))
        desk.trade("100.00")
        self.halt(desk)
        assert self.state_of(flip) is OrderStatus.CANCEL_PENDING

    def test_stays_once_and_not_twice_for_one_position(self) -> None:
        desk = make_desk()
        orders = [desk.send(desk.place(Side.SELL, 100, trigger="95.00")) for _ in range(2)]
        desk.buy(100)
        self.halt(desk)
        states = [self.state_of(order) for order in orders]
        assert states == [OrderStatus.TRIGGER_PENDING, OrderStatus.CANCEL_PENDING]

    def test_does_not_stay_beside_an_exit_of_all_that_is_open(self) -> None:
        desk = make_desk()
        desk.buy(100)
        stop = desk.send(desk.place(Side.SELL, 100, trigger="95.00"))
        desk.trade("100.00")
        short = desk.send(desk.place(Side.SELL, 100, limit="120.00"))
        self.halt(desk)
        assert self.state_of(stop) is OrderStatus.TRIGGER_PENDING
        assert self.state_of(short) is OrderStatus.CANCEL_PENDING


class TestWhatAStopSays:
    def test_is_how_many_it_has_cancelled(self) -> None:
        desk, _ = long_with_a_resting_buy()
        switch = engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        assert switch.cancelled.words == "1 open entry order is being cancelled."

    def test_is_how_many_it_could_not_cancel_and_why(self) -> None:
        desk, _ = long_with_a_resting_buy()
        with answering(place=Unknown("read timed out")):
            desk.send(desk.place(limit="91.00"))
        words = engage_kill_switch(None, by=None, reason="drill", now=desk.now).cancelled.words
        assert "1 open entry order is being cancelled, 1 could not be. Buy 10 RELIANCE" in words

    def test_names_what_somebody_placed_in_the_brokers_own_app(self) -> None:
        desk = make_desk()
        stop_outside(desk, 100)
        left = engage_kill_switch(None, by=None, reason="drill", now=desk.now).cancelled.left
        assert ["left to whoever placed it" in each for each in left] == [True]

    def test_is_told_to_the_desk_when_a_rule_has_stopped_it(self) -> None:
        desk, _ = long_with_a_resting_buy()
        reach_the_daily_loss(desk)
        told = Notification.objects.get(title__startswith="Entries are stopped")
        assert told.title.endswith("1 open entry order is being cancelled.")
        assert "loss" in told.message

    def test_is_shown_on_the_page(self) -> None:
        desk, _ = long_with_a_resting_buy()
        client = Client()
        client.force_login(desk.user)
        typed = {"account": str(desk.account.pk), "state": "HALTED"}
        with time_machine.travel(desk.now, tick=False):
            page = client.post("/risk/state/", typed, follow=True).content.decode()
        assert "1 open entry order is being cancelled." in page

    def test_is_printed_by_the_command(self) -> None:
        desk, _ = long_with_a_resting_buy()
        out = StringIO()
        with time_machine.travel(desk.now + timedelta(seconds=1), tick=False):
            call_command("kill_switch", "engage", stdout=out)
        assert "1 open entry order is being cancelled." in out.getvalue()

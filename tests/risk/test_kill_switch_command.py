from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications.models import Notification
from orders.states import OrderStatus
from risk.models import TraderControl
from tests.orders.desk import make_desk

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("kill_switch", *arguments, stdout=out)
    return out.getvalue()


class TestTheCommand:
    def test_refuses_a_workspace_that_does_not_exist(self) -> None:
        with pytest.raises(CommandError, match="0 workspaces"):
            run("engage", "--workspace", "Nowhere")

    def test_says_that_the_switch_is_off(self) -> None:
        assert "trading goes on" in run("status")

    def test_stops_every_desk(self) -> None:
        desk = make_desk()
        assert "ON for every desk" in run("engage", "--reason", "fat finger")
        assert desk.place().state is OrderStatus.DENIED

    def test_stops_one_desk_by_name(self) -> None:
        desk = make_desk()
        assert "ON for Desk" in run("engage", "--workspace", "Desk")
        assert desk.place().state is OrderStatus.DENIED

    def test_engaged_twice_is_engaged_once(self) -> None:
        run("engage")
        run("engage")
        assert TraderControl.objects.count() == 1

    def test_lets_trading_go_on_and_keeps_the_record(self) -> None:
        desk = make_desk()
        run("engage")
        assert "trading goes on" in run("release")
        assert desk.place().state is OrderStatus.PENDING
        assert TraderControl.objects.get().deactivated_at is not None

    def test_tells_every_member(self) -> None:
        make_desk()
        run("engage", "--reason", "fat finger")
        assert Notification.objects.get().title == "Trading is halted: fat finger"

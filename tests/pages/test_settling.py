"""The pages on which a person settles what nothing else can."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Role
from brokers.gateway import Unknown
from brokers.models import BrokerConnection
from orders.models import Order, OrderSource
from orders.states import OrderStatus
from portfolio.models import DifferenceState, PositionDifference
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk
from tests.orders.live_desk import make_live_desk, moved, reconcile, saying, the_difference
from tests.pages.desks import client_of, client_of_stranger, client_with_role, queries_of

pytestmark = pytest.mark.django_db
NEXT_DAY = datetime(2026, 6, 18, 6, 0, tzinfo=UTC)
EVIDENCE = "Contract note CN/2026/0617"
NEVER = {"ending": "rejected", "evidence": EVIDENCE, "broker_order_id": "", "trades": ""}
FILLED = {**NEVER, "ending": "filled", "broker_order_id": "B-77", "trades": "501 10 90.00"}


@pytest.fixture
def differing(settings: Settings) -> Desk:
    """Ten here, and the broker tells of none: that is doubted."""
    desk = make_live_desk(settings)
    desk.buy(10)
    reconcile(desk)
    with saying([]):
        reconcile(desk, after=30)
    desk.now += timedelta(seconds=30)
    return desk


@pytest.fixture
def lost() -> Desk:
    """An order of yesterday that nobody heard of again."""
    desk = make_desk()
    with answering(place=Unknown("read timed out")):
        desk.send(desk.place(limit="90.00"))
    desk.now = NEXT_DAY
    return desk


def accept_url() -> str:
    return reverse("orders:accept_difference", args=[the_difference().pk])


def accept(desk: Desk, client: Client, **fields: object) -> str:
    sent = {"ours": 10, "theirs": 0, "reason": "Sold by phone", **fields}
    with time_machine.travel(desk.now, tick=False):
        return client.post(accept_url(), sent, follow=True).content.decode()


def order_url(name: str) -> str:
    return reverse(f"orders:{name}", args=[Order.objects.get().pk])


def adjustments() -> int:
    return Order.objects.filter(source=OrderSource.ADJUSTMENT).count()


class TestAcceptingADifference:
    def test_is_refused_to_a_viewer(self, differing: Desk) -> None:
        viewer = client_with_role(differing.account.workspace, Role.VIEWER)
        assert viewer.get(accept_url()).status_code == 403
        assert viewer.post(accept_url(), {}).status_code == 403

    def test_is_not_there_for_a_stranger(self, differing: Desk) -> None:
        assert client_of_stranger().post(accept_url(), {}).status_code == 404

    def test_asks_for_a_reason(self, differing: Desk) -> None:
        with saying([]):
            page = accept(differing, client_of(differing), reason="")
        assert "This field is required" in page
        assert adjustments() == 0

    def test_shows_the_new_figure_when_it_has_changed(self, differing: Desk) -> None:
        with saying(moved(differing, 4)):
            page = accept(differing, client_of(differing))
        assert "10 here, 4 at the broker now" in page
        assert 'name="theirs" value="4"' in page
        assert adjustments() == 0

    def test_shows_what_it_books_before_it_does(self, differing: Desk) -> None:
        page = client_of(differing).get(accept_url()).content.decode()
        assert "This books an adjustment of" in page and "−10" in page
        assert "is empty, which is never taken for having nothing" in page

    def test_books_it_once_from_two_browsers(self, differing: Desk) -> None:
        trader = client_with_role(differing.account.workspace, Role.TRADER)
        address = accept_url()
        with saying([]):
            accept(differing, client_of(differing))
            with time_machine.travel(differing.now, tick=False):
                second = trader.post(address, {"ours": 10, "theirs": 0, "reason": "Too"})
        assert second["Location"] == reverse("portfolio:differences")
        assert adjustments() == 1
        assert the_difference().state == DifferenceState.ADJUSTED


class TestTheDifferences:
    def test_of_another_desk_are_not_shown(self, differing: Desk) -> None:
        page = client_of_stranger().get(reverse("portfolio:differences")).content.decode()
        assert "No differences" in page

    def test_are_shown_to_a_viewer_without_a_way_to_settle_them(self, differing: Desk) -> None:
        viewer = client_with_role(differing.account.workspace, Role.VIEWER)
        page = viewer.get(reverse("portfolio:differences")).content.decode()
        assert "Doubted" in page and accept_url() not in page

    def test_lead_a_trader_to_each(self, differing: Desk) -> None:
        page = client_of(differing).get(reverse("portfolio:differences")).content.decode()
        assert accept_url() in page

    def test_cost_few_queries(self, differing: Desk) -> None:
        assert queries_of(client_of(differing), reverse("portfolio:differences_part")) <= 7


class TestWhereItSaysWhetherBothSidesAgree:
    @pytest.mark.parametrize("path", ["/", "/brokers/", "/brokers/part/", "connection"])
    def test_says_that_one_instrument_differs(self, differing: Desk, path: str) -> None:
        page = self.read(differing, path)
        assert "1 instrument differs" in page
        assert reverse("portfolio:differences") in page

    def test_counts_an_instrument_once(self, differing: Desk) -> None:
        row = the_difference()
        PositionDifference.objects.create(
            **{name: getattr(row, name) for name in ("account", "instrument", "instrument_key")},
            product="CNC", ours=1, theirs=2, first_seen_at=row.first_seen_at,
            same_since=row.same_since, last_seen_at=row.last_seen_at,
        )  # fmt: skip
        assert "1 instrument differs" in self.read(differing, "/brokers/")

    @pytest.mark.parametrize("path", ["/", "/brokers/", "connection"])
    def test_says_nothing_of_it_once_it_is_gone(self, differing: Desk, path: str) -> None:
        reconcile(differing)
        assert "differs" not in self.read(differing, path)

    def read(self, desk: Desk, path: str) -> str:
        if path == "connection":
            # Only a real broker's has a page.
            BrokerConnection.objects.update(broker_type="kite")
            path = reverse("brokers:detail", args=[desk.account.connection_id])
        with time_machine.travel(desk.now, tick=False):
            return client_of(desk).get(path).content.decode()


class TestSettlingAnOrder:
    def post(self, desk: Desk, client: Client, fields: dict[str, str]) -> str:
        with answering(orders=[], trades=[]), time_machine.travel(desk.now, tick=False):
            return client.post(order_url("settle_now"), fields, follow=True).content.decode()

    def get(self, desk: Desk, name: str, fields: dict[str, str] | None = None) -> str:
        with time_machine.travel(desk.now, tick=False):
            page = client_of(desk).get(order_url(name), fields or {}, follow=True)
        return page.content.decode()

    def test_is_refused_to_a_viewer(self, lost: Desk) -> None:
        viewer = client_with_role(lost.account.workspace, Role.VIEWER)
        assert viewer.post(order_url("settle_now"), NEVER).status_code == 403
        assert Order.objects.get().state is OrderStatus.UNKNOWN

    def test_is_not_there_for_a_stranger(self, lost: Desk) -> None:
        assert client_of_stranger().post(order_url("settle_now"), NEVER).status_code == 404

    def test_is_refused_while_its_day_goes_on(self, lost: Desk) -> None:
        lost.now = NEXT_DAY - timedelta(hours=20)
        assert "until 18 Jun 2026, 00:00:00 IST" in self.get(lost, "settle")
        assert "until 18 Jun 2026" in self.post(lost, client_of(lost), NEVER)
        assert Order.objects.get().state is OrderStatus.UNKNOWN

    @pytest.mark.parametrize("trades", ["", "501 10", "501 ten 90", "501 11 90", "501 10 0"])
    def test_says_what_is_wrong_with_its_trades(self, lost: Desk, trades: str) -> None:
        page = self.get(lost, "settle", {**FILLED, "trades": trades})
        assert "Nothing is done yet" not in page and "invalid-feedback" in page

    def test_changes_nothing_while_it_is_only_looked_at(self, lost: Desk) -> None:
        page = self.get(lost, "settle", FILLED)
        assert "Nothing is done yet" in page and "10 filled at 90.00" in page
        assert Order.objects.get().state is OrderStatus.UNKNOWN

    def test_is_offered_on_the_orders_page_once_its_day_is_over(self, lost: Desk) -> None:
        assert order_url("settle") in self.get(lost, "detail")
        lost.now = NEXT_DAY - timedelta(hours=20)
        page = self.get(lost, "detail")
        assert order_url("settle") not in page and "18 Jun 2026, 00:00:00" in page

    def test_ends_it_and_tells_so_in_its_history(self, lost: Desk) -> None:
        page = self.post(lost, client_of(lost), NEVER)
        assert "Settled by hand: refused by the broker." in page
        assert EVIDENCE in page and "By hand" in page

    def test_twice_books_once(self, lost: Desk) -> None:
        for _ in range(2):
            page = self.post(lost, client_of(lost), FILLED)
        assert "Nothing was changed by hand" in page
        assert Order.objects.get().trades.count() == 1

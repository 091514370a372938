from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from accounts.models import Role
from orders.models import Order
from orders.states import OrderStatus
from tests.builders import make_instrument
from tests.orders.desk import Desk
from tests.pages.desks import client_of, client_of_stranger, csv_rows, queries_of

URL = "/orders/"


class TestOrderList:
    def test_sends_who_is_not_signed_in_away(self, client: Client, db: None) -> None:
        assert client.get(URL).status_code == 302

    def test_shows_nothing_of_another_desk(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        assert str(order.pk) not in client_of_stranger().get(URL).content.decode()

    def test_says_what_to_do_while_it_is_empty(self, desk: Desk) -> None:
        assert b"No orders yet" in client_of(desk).get(URL).content

    def test_shows_an_order_with_its_state(self, desk: Desk) -> None:
        desk.send(desk.place(limit="95.00"))
        page = client_of(desk).get(URL).content.decode()
        assert "RELIANCE" in page
        assert "Placed" in page

    def test_names_the_day_of_what_is_not_of_today(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        day = f'<span class="sub">{order.created_at:%-d %b}</span>'
        with time_machine.travel(order.created_at, tick=False):
            assert day not in client_of(desk).get(URL).content.decode()
        with time_machine.travel(order.created_at + timedelta(days=1), tick=False):
            assert day in client_of(desk).get(URL).content.decode()

    def test_offers_to_cancel_only_what_is_alive(self, desk: Desk) -> None:
        filled, alive = desk.buy(), desk.place(limit="95.00")
        page = client_of(desk).get(URL).content.decode()
        assert f"/orders/{alive.pk}/cancel/" in page
        assert f"/orders/{filled.pk}/cancel/" not in page

    def test_renders_its_part_alone(self, desk: Desk) -> None:
        part = client_of(desk).get(f"{URL}part/").content.decode()
        assert part.startswith("<form")
        assert "<html" not in part

    def test_costs_the_same_queries_for_many_rows_as_for_one(self, desk: Desk) -> None:
        desk.place(limit="95.00")
        client = client_of(desk)
        one = queries_of(client, f"{URL}part/")
        for _ in range(5):
            desk.place(limit="95.00")
        assert queries_of(client, f"{URL}part/") == one
        assert one <= 8


class TestOrderFilter:
    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            ("", 2),
            ("status=open", 1),
            ("status=FILLED", 1),
            ("status=ended", 0),
            ("instrument=rel", 2),
            ("instrument=tcs", 0),
            ("strategy=by-hand", 2),
            ("day=2026-06-17", 2),
            ("day=2026-06-16", 0),
            ("day=yesterday&status=nonsense&account=x", 2),
        ],
    )
    def test_narrows_the_list(self, desk: Desk, query: str, shown: int) -> None:
        desk.buy()
        desk.place(limit="95.00")
        context = client_of(desk).get(f"{URL}?{query}").context
        assert len(list(context["listing"])) == shown

    def test_takes_no_account_of_another_desk(self, desk: Desk) -> None:
        desk.place(limit="95.00")
        page = client_of_stranger().get(f"{URL}?account={desk.account.pk}")
        assert len(list(page.context["listing"])) == 0


class TestOrderExport:
    def test_has_the_orders_that_the_filters_leave(self, desk: Desk) -> None:
        desk.buy()
        desk.place(limit="95.00")
        header, *rows = csv_rows(client_of(desk).get(f"{URL}export/?status=FILLED"))
        assert len(rows) == 1
        assert dict(zip(header, rows[0], strict=True))["Instrument"] == "NSE:RELIANCE"

    def test_runs_no_formula(self, desk: Desk) -> None:
        desk.instrument = make_instrument("NSE:=EVIL")
        order = desk.place(limit="95.00")
        Order.objects.filter(pk=order.pk).update(error_message='=HYPERLINK("http://x")')
        assert ",'=HYPERLINK" in _plain(client_of(desk).get(f"{URL}export/").content.decode())


class TestOrderPage:
    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        assert client_of_stranger().get(f"/orders/{order.pk}/").status_code == 404

    def test_tells_every_event_with_its_source(self, desk: Desk) -> None:
        order = desk.buy()
        page = client_of(desk).get(f"/orders/{order.pk}/").content.decode()
        assert page.count("<time datetime") >= order.event_count
        assert "Passed every risk check" in page
        assert "Stream" in page

    def test_itemises_the_charges_so_that_they_add_up(self, desk: Desk) -> None:
        order = desk.buy(quantity=100)
        context = client_of(desk).get(f"/orders/{order.pk}/").context
        assert sum(charge.amount for charge in context["charges"]) == context["total_charges"] > 0

    def test_says_why_risk_refused(self, desk: Desk) -> None:
        order = desk.place(quantity=1_000_000, limit="100.00")
        page = client_of(desk).get(f"/orders/{order.pk}/").content.decode()
        assert order.status == OrderStatus.DENIED
        assert "Why risk refused it" in page

    @pytest.mark.parametrize(("role", "sees"), [(Role.ADMIN, True), (Role.TRADER, False)])
    def test_shows_the_brokers_own_answer_to_owners_and_admins(
        self, desk: Desk, role: Role, sees: bool
    ) -> None:
        order = desk.buy()
        client = client_of(desk)
        desk.user.memberships.update(role=role)
        page = client.get(f"/orders/{order.pk}/").content.decode()
        assert ("Broker&#x27;s own answer" in page or "Broker's own answer" in page) is sees

    def test_renders_its_part_alone(self, desk: Desk) -> None:
        order = desk.buy()
        part = client_of(desk).get(f"/orders/{order.pk}/part/").content.decode()
        assert part.startswith("<div")


def _plain(text: str) -> str:
    return text.replace('"', "")


class TestCancelChosen:
    BUTTON = "Cancel chosen"

    @pytest.mark.parametrize("query", ["status=FILLED", "status=ended", "instrument=tcs"])
    def test_is_not_offered_where_nothing_can_be_cancelled(self, desk: Desk, query: str) -> None:
        desk.buy()
        desk.place(limit="95.00")
        assert self.BUTTON not in client_of(desk).get(f"{URL}?{query}").content.decode()

    @pytest.mark.parametrize("query", ["", "status=open"])
    def test_is_offered_beside_an_open_order(self, desk: Desk, query: str) -> None:
        desk.buy()
        desk.place(limit="95.00")
        assert self.BUTTON in client_of(desk).get(f"{URL}?{query}").content.decode()

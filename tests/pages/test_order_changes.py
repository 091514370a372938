from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import Role
from brokers.terms import Side
from orders.models import Order
from orders.states import OrderStatus
from portfolio.models import Position
from risk.models import Reservation, TraderControl
from tests.builders import make_account_at
from tests.orders.desk import Desk
from tests.pages.desks import HTMX, client_of, client_of_stranger, client_with_role
from tests.pages.test_home import make_position


def state_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


class TestCancel:
    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        assert client_of_stranger().post(f"/orders/{order.pk}/cancel/").status_code == 404
        assert state_of(order) == OrderStatus.PENDING

    def test_is_refused_to_a_viewer(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.post(f"/orders/{order.pk}/cancel/").status_code == 403
        assert state_of(order) == OrderStatus.PENDING

    def test_asks_first_and_changes_nothing(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        page = client_of(desk).get(f"/orders/{order.pk}/cancel/").content.decode()
        assert "Cancel BUY 10 RELIANCE?" in page and "not filled, called off" in page
        assert state_of(order) == OrderStatus.PENDING

    def test_asks_in_the_window_over_a_page_and_goes_back_to_it(self, desk: Desk) -> None:
        order, client = desk.place(limit="95.00"), client_of(desk)
        over = {**HTMX, "HX-Current-URL": "http://testserver/orders/?status=OPEN"}
        page = client.get(f"/orders/{order.pk}/cancel/", headers=over).content.decode()
        assert "<html" not in page and 'value="/orders/?status=OPEN"' in page
        answer = client.post(f"/orders/{order.pk}/cancel/", {"next": "/orders/?status=OPEN"})
        assert answer["Location"] == "/orders/?status=OPEN"

    @pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example/", "evil"])
    def test_goes_to_no_other_site(self, desk: Desk, next_: str) -> None:
        order = desk.place(limit="95.00")
        answer = client_of(desk).post(f"/orders/{order.pk}/cancel/", {"next": next_})
        assert answer["Location"] == order.get_absolute_url()

    def test_withdraws_an_order_that_has_not_left(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        client_of(desk).post(f"/orders/{order.pk}/cancel/")
        assert state_of(order) == OrderStatus.CANCELLED

    def test_asks_the_broker_for_the_end_of_a_working_order(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="95.00"))
        client_of(desk).post(f"/orders/{order.pk}/cancel/")
        assert state_of(order) == OrderStatus.CANCEL_PENDING

    def test_says_so_when_the_order_has_ended(self, desk: Desk) -> None:
        order = desk.buy()
        answer = client_of(desk).post(f"/orders/{order.pk}/cancel/", follow=True)
        (message,) = answer.context["messages"]
        assert message.level_tag == "error"
        assert str(message) == "A cancel is not possible while the order is filled"

    def test_says_that_it_has_been_sent(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="95.00"))
        answer = client_of(desk).post(f"/orders/{order.pk}/cancel/", follow=True)
        assert "Cancel sent for BUY 10 RELIANCE" in answer.content.decode()


class TestCancelSeveral:
    def test_shows_what_it_would_cancel_first(self, desk: Desk) -> None:
        first, second, filled = desk.place(limit="95.00"), desk.place(limit="94.00"), desk.buy()
        chosen = "&".join(f"order={order.pk}" for order in (first, second, filled))
        page = client_of(desk).get(f"/orders/cancel/?{chosen}")
        assert {order.pk for order in page.context["orders"]} == {first.pk, second.pk}
        assert state_of(first) == OrderStatus.PENDING

    @pytest.mark.parametrize("query", ["", "order=nonsense", "order="])
    def test_says_so_when_nothing_is_open(self, desk: Desk, query: str) -> None:
        page = client_of(desk).get(f"/orders/cancel/?{query}")
        assert b"Nothing to cancel" in page.content

    def test_cancels_each_on_its_own(self, desk: Desk) -> None:
        first, filled = desk.place(limit="95.00"), desk.buy()
        chosen = {"order": [str(first.pk), str(filled.pk)]}
        answer = client_of(desk).post("/orders/cancel/chosen/", chosen, follow=True)
        assert state_of(first) == OrderStatus.CANCELLED
        assert {message.level_tag for message in answer.context["messages"]} == {"error", "success"}

    def test_leaves_another_desks_orders_alone(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        client_of_stranger().post("/orders/cancel/chosen/", {"order": [str(order.pk)]})
        assert state_of(order) == OrderStatus.PENDING


class TestChangeOrder:
    def test_is_not_there_for_a_stranger(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="95.00"))
        assert client_of_stranger().get(f"/orders/{order.pk}/modify/").status_code == 404

    def test_begins_with_the_order_as_it_is(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="95.00"))
        page = client_of(desk).get(f"/orders/{order.pk}/modify/").content.decode()
        assert 'value="95.00"' in page
        assert "trigger_price" not in page

    def test_tells_a_stranger_no_cost(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="95.00"))
        answer = client_of_stranger().post(f"/orders/{order.pk}/modify/preview/")
        assert answer.status_code == 404

    def test_tells_what_more_it_would_need(self, desk: Desk) -> None:
        order = desk.send(desk.place(quantity=10, limit="95.00"))
        client, changed = client_of(desk), {"quantity": "30", "price": "95.00"}
        before = client.get(f"/orders/{order.pk}/modify/").context["cost"]
        after = client.post(f"/orders/{order.pk}/modify/preview/", changed).context["cost"]
        assert (before.more, before.held) == (0, before.needed)
        assert (after.held, after.more) == (before.held, 2 * before.held)

    def test_that_closes_a_position_needs_no_margin(self, desk: Desk) -> None:
        desk.buy(quantity=10)
        order = desk.send(desk.place(side=Side.SELL, quantity=10, limit="105.00"))
        assert client_of(desk).get(f"/orders/{order.pk}/modify/").context["cost"] is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("price", "95.03"),
            ("price", "0"),
            ("price", "x"),
            *[("price", each) for each in ("1e400", "1e13", "9" * 30, "9_5", "९५", "95,00")],
            ("quantity", "0"),
            ("quantity", "1_0"),
            ("quantity", ""),
        ],
    )
    def test_is_refused_beside_the_field(self, desk: Desk, field: str, value: str) -> None:
        order = desk.send(desk.place(limit="95.00"))
        typed = {"quantity": "10", "price": "95.00", field: value}
        page = client_of(desk).post(f"/orders/{order.pk}/modify/", typed)
        assert field in page.context["form"].errors
        assert state_of(order) == OrderStatus.PLACED

    def test_is_sent_as_one_change(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="95.00"))
        typed = {"quantity": "20", "price": "1,096.00".replace("1,0", "")}
        answer = client_of(desk).post(f"/orders/{order.pk}/modify/", typed)
        assert answer.status_code == 302
        assert state_of(order) == OrderStatus.MODIFY_PENDING

    def test_is_refused_once_the_order_has_ended(self, desk: Desk) -> None:
        order = desk.place(limit="95.00")
        client = client_of(desk)
        client.post(f"/orders/{order.pk}/cancel/")
        page = client.post(f"/orders/{order.pk}/modify/", {"quantity": "20", "price": "96.00"})
        assert page.context["form"].non_field_errors()


class TestExit:
    def test_is_refused_to_a_viewer(self, desk: Desk) -> None:
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.get("/orders/exit/?which=all").status_code == 403

    def test_shows_the_orders_in_numbers_first(self, desk: Desk) -> None:
        desk.buy(quantity=10, price="101.00")
        page = client_of(desk).get("/orders/exit/?which=all")
        (planned,) = page.context["planned"]
        assert (planned.side, planned.quantity, planned.value) == ("SELL", 10, 1010)
        assert Order.objects.count() == 1

    @pytest.mark.parametrize(
        ("query", "count"),
        [("which=intraday", 1), ("which=losing", 0), ("which=strategy", 0), ("", 0)],
    )
    def test_takes_the_positions_that_are_asked_for(
        self, desk: Desk, query: str, count: int
    ) -> None:
        desk.buy()
        page = client_of(desk).get(f"/orders/exit/?{query}")
        assert len(page.context["planned"]) == count

    def test_places_an_order_that_closes_the_position(self, desk: Desk) -> None:
        desk.buy()
        position = Position.objects.open().get()
        typed = {"position": [str(position.pk)], "key": "k1"}
        client_of(desk).post("/orders/exit/chosen/", typed)
        order = Order.objects.get(side="SELL")
        assert (order.quantity, order.is_exit) == (10, True)

    def test_places_nothing_twice_for_two_presses_of_one_button(self, desk: Desk) -> None:
        desk.buy()
        typed = {"position": [str(Position.objects.open().get().pk)], "key": "k1"}
        client = client_of(desk)
        client.post("/orders/exit/chosen/", typed)
        client.post("/orders/exit/chosen/", typed)
        assert Order.objects.filter(side="SELL").count() == 1

    def test_says_that_the_order_of_a_first_press_is_older(self, desk: Desk) -> None:
        desk.buy()
        position = Position.objects.open().get()
        client = client_of(desk)
        typed = {"position": [str(position.pk)], "key": "k1"}
        client.post("/orders/exit/chosen/", typed, follow=True)
        Order.objects.filter(side="SELL").update(
            status=OrderStatus.REJECTED, created_at=F("created_at") - timedelta(minutes=1)
        )
        Reservation.objects.update(released_at=timezone.now())
        answer = client.post("/orders/exit/chosen/", typed, follow=True)
        (message,) = answer.context["messages"]
        assert "Nothing new was sent" in str(message)

    def test_leaves_another_desks_positions_alone(self, desk: Desk) -> None:
        desk.buy()
        typed = {"position": [str(Position.objects.open().get().pk)], "key": "k1"}
        client_of_stranger().post("/orders/exit/chosen/", typed)
        assert not Order.objects.filter(side="SELL").exists()


class TestHalt:
    def test_is_refused_to_a_viewer(self, desk: Desk) -> None:
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.post("/orders/halt/", {"word": "HALT"}).status_code == 403
        assert not TraderControl.objects.exists()

    def test_is_reached_from_the_risk_pages(self, desk: Desk) -> None:
        assert client_of(desk).get("/risk/halt/")["Location"] == "/orders/halt/"

    def test_says_what_happens_in_numbers(self, desk: Desk) -> None:
        desk.buy()
        desk.place(limit="95.00")
        said = client_of(desk).get("/orders/halt/").context["consequences"]
        assert (said.orders, said.positions, said.accounts) == (1, 1, 1)

    def test_never_adds_paper_to_live_money(self, desk: Desk) -> None:
        desk.buy()
        live = make_account_at("angel", desk.account.workspace)
        make_position(live, desk.instrument)
        said = client_of(desk).get("/orders/halt/").context["consequences"]
        assert said.value == "₹1,000.00 live and ₹1,000.00 paper"
        assert said.unrealized.startswith("−₹12,900.00 live and ")

    @pytest.mark.parametrize("word", ["", "HAL", "STOP", "HALT NOW", "H" * 200])
    def test_does_nothing_without_the_word_and_says_which(self, desk: Desk, word: str) -> None:
        page = client_of(desk).get("/orders/halt/")
        key = str(page.context["form"].initial["key"])
        answer = client_of(desk).post("/orders/halt/", {"word": word, "key": key})
        assert answer.context["form"]["word"].errors == ["Type HALT to confirm."]
        assert not TraderControl.objects.exists()

    @pytest.mark.parametrize("written", ["{}", " {} ", "{}\n"])
    def test_takes_the_very_word_that_it_asks_for(self, desk: Desk, written: str) -> None:
        asked = client_of(desk).get("/orders/halt/").context["word"]
        self.halt(desk, word=written.format(asked))
        assert TraderControl.objects.get().is_in_force

    def test_shuts_the_switch_and_ends_entries(self, desk: Desk) -> None:
        resting = desk.send(desk.place(limit="95.00"))
        waiting = desk.place(limit="94.00")
        self.halt(desk)
        assert TraderControl.objects.get().is_in_force
        assert state_of(resting) == OrderStatus.CANCEL_PENDING
        assert state_of(waiting) == OrderStatus.DENIED  # it had not left

    def test_keeps_positions_unless_asked(self, desk: Desk) -> None:
        desk.buy()
        self.halt(desk)
        assert not Order.objects.filter(side="SELL").exists()

    def test_exits_positions_when_asked(self, desk: Desk) -> None:
        desk.buy()
        self.halt(desk, exit="on")
        assert Order.objects.get(side="SELL").is_exit

    def halt(self, desk: Desk, **typed: str) -> None:
        client = client_of(desk)
        key = str(client.get("/orders/halt/").context["form"].initial["key"])
        answer = client.post("/orders/halt/", {"word": "halt", "key": key, **typed})
        assert answer.status_code == 302

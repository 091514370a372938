"""Keys pressed while the order window is on its way."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, Route, expect

from market.models import Instrument
from orders.models import Order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@dataclass
class Line:
    """The way to the server: it holds the first order window back until it is told to."""

    page: Page
    held: list[Route] = field(default_factory=list)
    is_open: bool = False

    def take(self, route: Route) -> None:
        if self.is_open:
            route.continue_()
        else:
            self.held.append(route)

    def release(self) -> None:
        while not self.held:
            self.page.wait_for_timeout(10)
        self.is_open = True
        self.held.pop().continue_()


@pytest.fixture
def line(page: Page, watched: Instrument) -> Iterator[Line]:
    """The home page, on which B was pressed on the watchlist's row."""
    line = Line(page)
    page.route("**/orders/new/?**", line.take)
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("b")
    yield line
    page.wait_for_load_state("networkidle")


class TestEarlyKeys:
    def test_enter_sends_nothing(self, page: Page, line: Line) -> None:
        page.keyboard.type("25")
        page.keyboard.press("Enter")
        line.release()
        expect(page.locator("#order_quantity")).to_have_value("25")
        expect(page.locator("#ticket-send")).to_have_text("Buy 25 · ₹35,000")
        assert not Order.objects.exists()

    def test_enter_held_down_sends_nothing(self, page: Page, line: Line) -> None:
        page.keyboard.down("Enter")
        line.release()
        expect(page.locator("#order_quantity")).to_be_focused()
        page.keyboard.down("Enter")
        page.keyboard.up("Enter")
        expect(page.locator("#ticket-send")).to_have_text("Buy 1 · ₹1,400")
        assert not Order.objects.exists()

    @pytest.mark.parametrize(
        ("keys", "quantity"), [("25", "25"), ("256", "256"), ("x7j", "7"), ("2.5", "2.5")]
    )
    def test_digits_are_the_quantity(
        self, page: Page, line: Line, keys: str, quantity: str
    ) -> None:
        page.keyboard.type(keys)
        line.release()
        expect(page.locator("#order_quantity")).to_have_value(quantity)
        expect(page.locator("#order_quantity")).to_be_focused()

    def test_backspace_takes_a_digit_back(self, page: Page, line: Line) -> None:
        page.keyboard.type("26")
        page.keyboard.press("Backspace")
        page.keyboard.type("5")
        line.release()
        expect(page.locator("#order_quantity")).to_have_value("25")

    def test_what_is_typed_later_goes_on(self, page: Page, line: Line) -> None:
        page.keyboard.type("2")
        line.release()
        expect(page.locator("#order_quantity")).to_have_value("2")
        page.keyboard.type("5")
        expect(page.locator("#order_quantity")).to_have_value("25")
        expect(page.locator("#ticket-send")).to_have_text("Buy 25 · ₹35,000")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("Enter")
        expect(page.locator("#window .placed")).to_contain_text("BUY 25 RELIANCE")

    def test_the_side_pressed_last_holds(self, page: Page, line: Line) -> None:
        page.keyboard.type("7")
        page.keyboard.press("s")
        page.keyboard.type("25")
        line.release()
        expect(page.locator("#order_quantity")).to_have_value("25")
        expect(page.locator("#ticket-send")).to_have_text("Sell 25 · ₹35,000")

    def test_escape_keeps_the_window_away(self, page: Page, line: Line) -> None:
        page.keyboard.press("Escape")
        with page.expect_request_finished(lambda request: "/orders/new/?" in request.url):
            line.release()
        page.wait_for_load_state("networkidle")
        expect(page.locator("#window")).to_be_hidden()
        expect(page.locator("#window form")).to_have_count(0)
        page.keyboard.press("b")
        page.keyboard.type("25")
        expect(page.locator("#order_quantity")).to_have_value("25")

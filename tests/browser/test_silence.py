"""The browser has nothing to complain of, after a refusal as before it."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from brokers.models import TradingAccount
from market.models import Instrument
from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STYLED = "document.querySelectorAll('[style], style').length"
# A digit each 260 milliseconds, a little more than the window waits for the next one.
TYPING = """() => {
  const field = document.getElementById("order_quantity");
  const typing = setInterval(() => {
    field.value = String(Number(field.value) + 1);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    if (field.value === "8") clearInterval(typing);
  }, 260);
}"""
CLEAR = """(id) => {
  const field = document.getElementById(id).getBoundingClientRect();
  const foot = document.querySelector(".ticket > footer").getBoundingClientRect();
  return field.bottom <= foot.top;
}"""


@pytest.fixture
def said(page: Page) -> Iterator[list[str]]:
    """What the console says of this page; the stream that the tests cut off is no fault."""
    found: list[str] = []
    page.on("console", lambda line: found.append(line.text))
    yield found
    assert [line for line in found if "ERR_FAILED" not in line] == []


@pytest.mark.usefixtures("said")
class TestRefusedForm:
    @pytest.mark.parametrize(
        ("address", "field", "typed"),
        [
            ("/risk/rules/add/", "#id_rule_value", "1_0"),
            ("/positions/practice/open/", "#id_cash", "1_0"),
            ("/orders/halt/", "#id_word", "STOP"),
        ],
    )
    def test_has_no_style_of_its_own(
        self, page: Page, account: TradingAccount, address: str, field: str, typed: str
    ) -> None:
        page.goto(address)
        page.fill(field, typed)
        page.press(field, "Enter")
        expect(page.locator(f".main {field}.is-invalid")).to_be_visible()
        assert page.evaluate(STYLED) == 0

    def test_of_an_order_has_none_either(self, page: Page, watched: Instrument) -> None:
        page.goto("/orders/new/?instrument=SIM:RELIANCE")
        page.fill("#order_quantity", "1_0")
        page.click("#ticket-send")
        expect(page.locator("#err_quantity")).to_contain_text("Write it in digits")
        assert page.evaluate(STYLED) == 0


@pytest.mark.usefixtures("said")
class TestTypingInTheOrderWindow:
    def test_faster_than_it_is_answered_is_no_fault(self, page: Page, watched: Instrument) -> None:
        def answer_late(route: Route) -> None:
            time.sleep(0.4)
            route.continue_()

        page.route("**/orders/new/preview/", answer_late)
        page.goto("/orders/new/?instrument=SIM:RELIANCE")
        page.click("label[for=order_order_type_MARKET]")
        page.evaluate(TYPING)
        expect(page.locator("#ticket-send")).to_contain_text("Buy 8")


class TestFootOfTheOrderWindow:
    @pytest.mark.parametrize("field", ["order_price", "order_account", "order_disclosed_quantity"])
    def test_does_not_cover_the_field_one_is_in(
        self, page: Page, watched: Instrument, field: str
    ) -> None:
        page.set_viewport_size({"width": PHONE["width"], "height": 560})
        page.goto("/orders/new/?instrument=SIM:RELIANCE")
        page.click("#ticket-more summary")
        page.evaluate("scrollTo(0, 0)")
        page.locator(f"#{field}").focus()
        page.wait_for_function(CLEAR, arg=field, timeout=3000)

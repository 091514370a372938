import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership, Role
from brokers.models import TradingAccount
from market.models import Instrument, Watchlist, WatchlistItem
from orders.models import Order
from tests.browser.conftest import NARROW, PHONE
from tests.builders import make_instrument
from tests.pages.test_home import make_position

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class TestKeyboard:
    def test_buys_the_row_in_focus(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("j")
        page.keyboard.press("b")
        expect(page.locator("#window")).to_contain_text("RELIANCE")
        page.fill("#order_quantity", "7")
        expect(page.locator("#ticket-send")).to_have_text("Buy 7 · ₹9,800")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("Enter")
        expect(page.locator("#window .placed")).to_contain_text("BUY 7 RELIANCE")
        assert Order.objects.get().quantity == 7

    def test_closes_the_window_with_escape(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("j")
        page.keyboard.press("s")
        expect(page.locator("#window form")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#window")).to_be_hidden()

    def test_finds_an_instrument(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("/")
        page.keyboard.type("rel")
        expect(page.locator(".watch .found")).to_contain_text("RELIANCE")

    @pytest.mark.parametrize("key", ["ArrowDown", "Enter"])
    def test_buys_what_it_has_found(self, page: Page, watched: Instrument, key: str) -> None:
        page.goto("/")
        page.keyboard.press("/")
        page.keyboard.type("rel")
        expect(page.locator(".watch .found")).to_contain_text("RELIANCE")
        page.keyboard.press(key)
        page.keyboard.press("b")
        expect(page.locator("#window form")).to_contain_text("RELIANCE")

    def test_leaves_the_search_with_escape(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("/")
        page.keyboard.type("rel")
        expect(page.locator(".watch .found")).to_contain_text("RELIANCE")
        page.keyboard.press("Escape")
        expect(page.locator(".watch .found")).to_have_count(0)
        expect(page.locator("#find")).to_have_value("")
        page.keyboard.press("j")
        page.keyboard.press("b")
        expect(page.locator("#window form")).to_contain_text("RELIANCE")

    def test_keeps_the_row_when_the_list_comes_anew(self, page: Page, watched: Instrument) -> None:
        other = make_instrument("SIM:TCS")
        WatchlistItem.objects.create(
            watchlist=Watchlist.objects.get(), instrument=other, position=9
        )
        page.goto("/")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.evaluate(
            "htmx.ajax('GET', document.getElementById('find').form.action, '#watch-body')"
        )
        expect(page.locator(".watch > li:focus-within")).to_contain_text("TCS")
        page.keyboard.press("b")
        expect(page.locator("#window form")).to_contain_text("TCS")

    def test_walks_the_watchlist_and_not_the_positions(
        self, page: Page, watched: Instrument, account: TradingAccount
    ) -> None:
        make_position(account, make_instrument("SIM:TCS"))
        page.goto("/")
        expect(page.locator("#home-positions tbody")).to_contain_text("TCS")
        page.keyboard.press("j")
        expect(page.locator(".watch > li:focus-within")).to_contain_text("RELIANCE")

    def test_goes_to_orders(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("g")
        page.keyboard.press("o")
        page.wait_for_url("**/orders/")

    def test_lists_the_keys(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()


class TestOrderWindow:
    def test_takes_the_nearest_price_over(self, page: Page, watched: Instrument) -> None:
        page.goto("/orders/new/?instrument=SIM:RELIANCE")
        page.fill("#order_price", "1400.03")
        page.click("button.fix >> nth=0")
        expect(page.locator("#order_price")).to_have_value("1400.00")
        expect(page.locator("#err_price")).to_be_hidden()

    def test_hides_the_price_of_a_market_order(self, page: Page, watched: Instrument) -> None:
        page.goto("/orders/new/?instrument=SIM:RELIANCE")
        with page.expect_response("**/orders/new/preview/"):
            page.click("label[for=order_order_type_MARKET]")
        expect(page.locator("#order_price")).to_be_hidden()

    def test_says_so_when_no_answer_comes(self, page: Page, watched: Instrument) -> None:
        page.goto("/")
        page.keyboard.press("j")
        page.keyboard.press("b")
        expect(page.locator("#ticket-send")).to_be_visible()
        page.route("**/orders/new/", lambda route: route.abort())
        page.click("#ticket-send")
        expect(page.locator("#window .notice")).to_contain_text("may have been taken")
        expect(page.locator("#ticket-send")).to_be_enabled()

    def test_is_not_offered_to_a_viewer(self, page: Page, watched: Instrument) -> None:
        Membership.objects.update(role=Role.VIEWER)
        page.goto("/")
        page.keyboard.press("j")
        page.keyboard.press("b")
        expect(page.locator("#messages")).to_contain_text("Your role does not allow this")
        expect(page.locator("#window")).to_be_hidden()


class TestPhone:
    @pytest.mark.parametrize("address", ["/", "/orders/", "/positions/", "/more/"])
    def test_never_scrolls_sideways(self, page: Page, watched: Instrument, address: str) -> None:
        page.set_viewport_size(NARROW)
        page.goto(address)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) == 0

    def test_shows_the_watchlist_by_its_tab(self, page: Page, watched: Instrument) -> None:
        page.set_viewport_size(PHONE)
        page.goto("/")
        page.click(".tabbar a[href='#watchlist']")
        expect(page.locator("#watchlist")).to_be_visible()

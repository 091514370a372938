"""What is typed into a field that opened with a value is what the field then holds."""

import uuid
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import Workspace
from brokers.models import TradingAccount
from brokers.terms import OrderType, Side
from market.models import Instrument
from orders.models import Order
from orders.requests import OrderRequest
from orders.services.placing import place_order
from risk.models import RiskRule, RuleType, Trading, TradingState
from tests.builders import make_account
from tests.strategies.desk import make_strategy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Text that is there, in fields that a person can type into.
FILLED = "main input:is([type=text], [type=search], [type=email], [type=number], :not([type]))"
TYPED = "25"


def filled(page: Page) -> list[Locator]:
    fields = page.locator(FILLED).all()
    return [field for field in fields if field.is_visible() and field.input_value()]


@pytest.fixture
def addresses(desk: Workspace, account: TradingAccount, watched: Instrument) -> dict[str, str]:
    """Every page whose form opens with values."""
    rule = RiskRule.objects.create(
        workspace=desk, user=desk.owner, rule_type=RuleType.MAX_DAILY_LOSS, rule_value=5000
    )
    order = working_order(account, watched)
    return {
        "order": "/orders/new/?instrument=SIM:RELIANCE",
        "change": f"/orders/{order.pk}/modify/",
        "rule": f"/risk/rules/{rule.pk}/",
        "paper": "/positions/practice/open/",
        "strategy": f"/strategies/{make_strategy().slug}/",
        "lists": "/market/watchlists/",
        "trades": "/orders/trades/?instrument=REL",
        "connect": "/brokers/connect/angel/",
    }


def working_order(account: TradingAccount, share: Instrument) -> Order:
    request = OrderRequest(
        account=account, instrument=share, side=Side.BUY, quantity=10,
        order_type=OrderType.LIMIT, price=Decimal("1390.00"),
    )  # fmt: skip
    order = place_order(
        request, user=account.workspace.owner, idempotency_key=str(uuid.uuid4()), now=timezone.now()
    )
    Order.objects.filter(pk=order.pk).update(status="OPEN", broker_order_id="P1")
    return order


PAGES = ("order", "change", "rule", "paper", "strategy", "lists", "trades", "connect")


def focus_by(page: Page, field: Locator, by: str) -> None:
    if by == "mouse":
        field.click()
    elif by == "script":
        field.evaluate("field => field.focus()")
    else:
        page.evaluate("document.activeElement.blur()")
        for _ in range(150):
            page.keyboard.press("Tab")
            if field.evaluate("field => field === document.activeElement"):
                break


class TestFilledField:
    @pytest.mark.parametrize("name", PAGES)
    @pytest.mark.parametrize("by", ["mouse", "tab", "script"])
    def test_is_typed_over(self, page: Page, addresses: dict[str, str], name: str, by: str) -> None:
        page.goto(addresses[name])
        fields = filled(page)
        assert fields
        for field in fields:
            focus_by(page, field, by)
            page.keyboard.type(TYPED)
            expect(field).to_have_value(TYPED)

    def test_is_typed_over_where_the_window_has_changed_it(
        self, page: Page, addresses: dict[str, str]
    ) -> None:
        page.goto(addresses["order"])
        page.keyboard.type("7")
        page.keyboard.press("ArrowUp")
        expect(page.locator("#order_quantity")).to_have_value("8")
        page.keyboard.type("25")
        expect(page.locator("#order_quantity")).to_have_value("25")
        page.fill("#order_price", "1400.03")
        page.click("button.fix >> nth=0")
        page.keyboard.type("1399")
        expect(page.locator("#order_price")).to_have_value("1399")

    def test_is_typed_over_where_its_window_comes_anew(
        self, page: Page, addresses: dict[str, str], desk: Workspace
    ) -> None:
        other = make_account(desk, "Second")
        page.goto(addresses["order"])
        with page.expect_response("**/orders/new/**"):
            page.select_option("#order_account", str(other.pk))
        expect(page.locator("#order_quantity")).to_be_focused()
        page.keyboard.type("25")
        expect(page.locator("#order_quantity")).to_have_value("25")

    def test_takes_the_caret_at_a_second_click(self, page: Page, addresses: dict[str, str]) -> None:
        page.goto(addresses["paper"])
        field = filled(page)[-1]
        field.click()
        page.wait_for_timeout(600)  # longer than a double click
        field.click()
        page.keyboard.press("End")
        page.keyboard.type("0")
        assert field.input_value().endswith("00")

    def test_goes_on_being_typed_into_where_its_part_comes_anew(
        self, page: Page, addresses: dict[str, str]
    ) -> None:
        page.goto(addresses["order"])
        page.keyboard.type("2")
        part = page.locator(".ticket .pair").first.evaluate("part => part.outerHTML")
        anew = part.replace('value="1"', 'value="2"')
        page.route("**/anew/", lambda route: route.fulfill(body=anew, content_type="text/html"))
        page.evaluate("htmx.ajax('GET', '/anew/', { target: '.ticket .pair', swap: 'outerHTML' })")
        expect(page.locator("#order_quantity[value='2']")).to_be_focused()
        page.keyboard.type("5")
        expect(page.locator("#order_quantity")).to_have_value("25")


class TestOrderWindow:
    @pytest.mark.parametrize("by", ["search", "row", "mouse", "page"])
    def test_sends_the_quantity_that_was_typed(
        self, page: Page, watched: Instrument, by: str
    ) -> None:
        open_window(page, by)
        expect(page.locator("#order_quantity")).to_be_focused()
        page.keyboard.type("25")
        # Asked and sent at once, the two would meet in the tests' one SQLite connection.
        expect(page.locator("#ticket-send")).to_have_text("Buy 25 · ₹35,000")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("Enter")
        placed = page.get_by_role("heading", name="BUY 25 RELIANCE")
        expect(placed).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert Order.objects.get().quantity == 25

    def test_says_which_field_keeps_it_back_and_sends_nothing(
        self, page: Page, watched: Instrument
    ) -> None:
        open_window(page, "row")
        page.click("label[for=order_order_type_SL]")
        button = page.locator("#ticket-send")
        expect(button).to_have_text("Buy 1 · check the trigger price")
        page.press("#order_price", "Enter")
        expect(page.locator("#order_trigger_price")).to_be_focused()
        assert not Order.objects.exists()
        page.keyboard.type("1399.00")
        expect(button).to_have_text("Buy 1 · check the trigger price")
        expect(page.locator("#err_trigger_price")).to_contain_text("above the last price")
        page.fill("#order_trigger_price", "1399.50")
        page.fill("#order_price", "1401.00")
        page.fill("#order_trigger_price", "1400.50")
        expect(button).to_have_text("Buy 1 · ₹1,401")
        button.click()
        expect(page.locator("#window .placed")).to_contain_text("BUY 1 RELIANCE")

    def test_asks_again_where_it_would_be_refused(
        self, page: Page, watched: Instrument, desk: Workspace
    ) -> None:
        state = TradingState.objects.create(
            workspace=desk, state=Trading.HALTED, reason="Enough.", changed_at=timezone.now()
        )
        open_window(page, "row")
        expect(page.locator("#ticket-send")).to_have_text("Buy 1 · would be refused")
        state.delete()
        page.keyboard.press("Enter")
        expect(page.locator("#ticket-send")).to_have_text("Buy 1 · ₹1,400")
        assert not Order.objects.exists()


class TestChange:
    def test_says_what_keeps_it_back_and_sends_nothing(
        self, page: Page, addresses: dict[str, str]
    ) -> None:
        page.goto(addresses["change"])
        button = page.locator("#change-send")
        page.locator("[name=quantity]").focus()
        page.keyboard.type("5000")
        expect(button).to_have_text("Change the order · would be refused")
        page.keyboard.press("Enter")
        page.locator("[name=price]").fill("x")
        expect(button).to_have_text("Change the order · check the price")
        page.keyboard.press("Enter")
        assert page.url.endswith(addresses["change"])
        assert Order.objects.get().status == "OPEN"


def open_window(page: Page, by: str) -> None:
    if by == "page":
        page.goto("/orders/new/?instrument=SIM:RELIANCE")
        return
    page.goto("/")
    if by == "mouse":
        row = page.locator(".watch > li[data-instrument]")
        row.hover()
        row.locator(".act a[href*='side=BUY']").click()
        return
    if by == "search":
        page.keyboard.press("/")
        page.keyboard.type("rel")
        expect(page.locator(".watch .found")).to_contain_text("RELIANCE")
        page.keyboard.press("Enter")
    else:
        page.keyboard.press("j")
    page.keyboard.press("b")

"""What ends something asks once, over the page it was pressed on."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Workspace
from brokers.models import TradingAccount
from market.models import Instrument
from orders.models import Order
from strategies.models import ActivationStatus, UserStrategy
from tests.browser.test_fields import working_order
from tests.strategies.desk import make_strategy

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order(account: TradingAccount, watched: Instrument) -> Order:
    return working_order(account, watched)


@pytest.fixture
def running(desk: Workspace, account: TradingAccount) -> UserStrategy:
    return UserStrategy.objects.create(
        workspace=desk, user=desk.owner, strategy=make_strategy(), account=account,
        allocation_amount=5000, activated_at=timezone.now(),
    )  # fmt: skip


class TestCancel:
    def test_is_sent_by_enter_from_the_list(self, page: Page, order: Order) -> None:
        page.goto("/orders/?status=OPEN")
        page.locator("a[href$='/cancel/']:visible").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#window")).to_contain_text("Cancel BUY 10 RELIANCE?")
        page.keyboard.press("Enter")
        expect(page.locator("#messages")).to_contain_text("Cancel sent for BUY 10 RELIANCE")
        assert page.url.endswith("/orders/?status=OPEN")

    @pytest.mark.parametrize("by", ["Escape", "Go back"])
    def test_is_left_without_a_trace(self, page: Page, order: Order, by: str) -> None:
        page.goto("/orders/")
        page.locator("a[href$='/cancel/']:visible").click()
        expect(page.locator("#window .dialog")).to_be_visible()
        if by == "Escape":
            page.keyboard.press(by)
        else:
            page.click(f"#window >> text={by}")
        expect(page.locator("#window")).to_be_hidden()
        order.refresh_from_db()
        assert order.status == "OPEN"


class TestPause:
    def test_names_what_it_leaves_and_stays_on_the_page(
        self, page: Page, running: UserStrategy
    ) -> None:
        page.goto("/strategies/")
        page.locator("a[href$='/pause/']:visible").click()
        expect(page.locator("#window")).to_contain_text("It holds nothing")
        page.click("#window >> text=Pause it")
        expect(page.locator("#messages")).to_contain_text("is paused")
        assert page.url.endswith("/strategies/")
        running.refresh_from_db()
        assert running.status == ActivationStatus.PAUSED

"""A special session entered by the keyboard alone, on a desk's screen and on a phone."""

from datetime import date, time

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from accounts.models import User
from market.models import ScheduleOverride
from tests.browser.conftest import DESK, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def operator(owner: User) -> User:
    owner.is_staff = True
    owner.save()
    return owner


class TestTradingCalendar:
    @pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
    def test_takes_a_special_session_by_the_keyboard(
        self, page: Page, operator: User, size: ViewportSize
    ) -> None:
        page.set_viewport_size(size)
        page.goto("/")
        page.keyboard.press("g")
        page.keyboard.press("c")
        page.wait_for_url("**/calendar/")
        page.locator("#id_day").focus()
        page.keyboard.type("11082026")
        page.locator("#id_reason").focus()
        page.keyboard.type("Muhurat trading")
        page.locator("#id_opens_at").focus()
        page.keyboard.type("0600PM")
        page.locator("#id_closes_at").focus()
        page.keyboard.type("0700PM")
        page.keyboard.press("Enter")
        expect(page.locator("#main, main").first).to_contain_text(
            "18:00 to 19:00. It holds at once"
        )
        rows = ScheduleOverride.objects.order_by("exchange")
        assert [(row.exchange, row.day, row.opens_at) for row in rows] == [
            ("BSE", date(2026, 11, 8), time(18)),
            ("NSE", date(2026, 11, 8), time(18)),
        ]

    @pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
    def test_fits_the_screen_and_removes_a_day(
        self, page: Page, operator: User, size: ViewportSize
    ) -> None:
        ScheduleOverride.objects.create(
            exchange="NSE", day=date(2026, 11, 8), is_open=False, reason="An election " * 8
        )
        page.set_viewport_size(size)
        page.goto("/calendar/")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"]
        page.get_by_role("button", name="Remove NSE on 8 November 2026").press("Enter")
        expect(page.get_by_text("trades by its calendar on 8 Nov 2026 again")).to_be_visible()
        assert not ScheduleOverride.objects.exists()

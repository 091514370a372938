"""Open profit and the day's gain follow the price, alike on Home and on Positions."""

from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from brokers.models import TradingAccount
from market.calendar import IST
from market.models import Instrument
from portfolio.models import Position, TradingSession

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TICK = """document.dispatchEvent(new CustomEvent("pinnacle:quotes", {
  detail: { "SIM:RELIANCE": { p: "1402.50", c: null, cp: null } },
}))"""


@pytest.fixture
def held(account: TradingAccount, watched: Instrument) -> None:
    """Ten at 1,390.00, marked at 1,400.00; yesterday ended with 40.00 of its profit."""
    now = timezone.now()
    common = {"workspace": account.workspace, "user": account.workspace.owner, "account": account}
    day = now.astimezone(IST).date()
    Position.objects.create(
        **common, instrument=watched, product="CNC", session_date=day, side="LONG", quantity=10,
        open_cost=Decimal(13900), buy_quantity=10, opened_at=now,
    )  # fmt: skip
    TradingSession.objects.create(
        **common, session_date=day, start_time=now, marked_at=now, capital_at_start=Decimal(100000),
        opening_unrealized=Decimal(40), unrealized_pnl=Decimal(100), charges=Decimal("5.25"),
    )  # fmt: skip


@pytest.mark.usefixtures("held")
class TestOpenProfit:
    @pytest.mark.parametrize("address", ["/", "/positions/"])
    def test_follows_the_price(self, page: Page, address: str) -> None:
        page.goto(address)
        page.evaluate(TICK)
        for cell in page.locator("[data-profit], .tbl tfoot [data-profit-total]").all():
            expect(cell).to_have_text("+125.00")

    @pytest.mark.parametrize("address", ["/", "/positions/"])
    def test_takes_the_day_with_it(self, page: Page, address: str) -> None:
        page.goto(address)
        day = page.locator("[data-profit-base]")
        expect(day).to_have_text(["+54.75", "+60.00"])
        page.evaluate(TICK)
        expect(day).to_have_text(["+79.75", "+85.00"])

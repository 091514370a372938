"""One whole way: a broker connected and live trading turned on, in Chromium."""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import Workspace
from brokers.models import BrokerConnection, TradingAccount
from brokers.tasks import run_login
from risk.models import RiskRule, RuleType
from tests.brokers.angel.market import CREDENTIALS, AngelStand
from tests.brokers.connecting import newest_attempt, simulated_angel
from tests.builders import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def simulator(settings: Settings) -> Iterator[AngelStand]:
    with simulated_angel() as simulator:
        simulator.clock.at = timezone.now()
        settings.BROKER_ENDPOINTS = {"angel": simulator.server.url}
        settings.LIVE_TRADING = True
        yield simulator


def connect(page: Page, **changes: str) -> BrokerConnection:
    page.goto("/brokers/")
    page.click("text=Connect a broker")
    page.click("[aria-label='Connect Angel One']")
    for name, value in {**CREDENTIALS, **changes}.items():
        page.fill(f"#id_field_{name}", value)
    page.click("button:has-text('Connect')")
    expect(page.locator("#connection")).to_contain_text("Logging in at Angel One")
    return BrokerConnection.objects.get(broker_type="angel")


def work_off(connection: BrokerConnection) -> None:
    """Be the worker."""
    run_login(newest_attempt(connection).pk, now=timezone.now())


class TestConnecting:
    def test_says_why_it_was_refused(self, page: Page, simulator: AngelStand) -> None:
        connection = connect(page, pin="9999")
        work_off(connection)
        expect(page.locator("#connection [role=alert]")).to_contain_text("the PIN is wrong")

    def test_goes_all_the_way_to_real_money(
        self, page: Page, simulator: AngelStand, desk: Workspace
    ) -> None:
        work_off(connect(page))
        expect(page.locator("#connection")).to_contain_text("Connected")
        TradingAccount.objects.update(reconciled_at=timezone.now())
        RiskRule.objects.create(
            workspace=desk, user=desk.owner, rule_type=RuleType.MAX_DAILY_LOSS, rule_value=5000
        )
        page.reload()
        page.click("[aria-label='Turn on… live trading for Angel One']")
        page.fill("#id_name", "Angel One")
        page.click("text=Next: your password")
        page.fill("#id_password", PASSWORD)
        page.click("text=Turn live trading on")
        expect(page.locator("#connection")).to_contain_text("Turn off")
        assert TradingAccount.objects.get().live_enabled

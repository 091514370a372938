"""axe-core finds nothing on any page, dark or light, at a desk or on a phone."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from accounts.models import User
from brokers.models import BrokerConnection, TradingAccount
from brokers.registry import gateway_for
from market.models import (
    ImportKind,
    ImportRun,
    ImportStatus,
    Instrument,
    ScheduleOverride,
    WatchlistItem,
)
from notifications.models import Notification
from portfolio.models import ExpirySettlement, PositionDifference
from portfolio.services import refresh_funds
from risk.models import RuleType
from strategies.catalogue import default_parameters
from strategies.models import Strategy
from tests.browser.addresses import areas, pages
from tests.browser.axe import faults
from tests.browser.conftest import DESK, PHONE
from tests.builders import make_account_at, make_instrument
from tests.orders.desk import Desk
from tests.pages.test_home import make_order, make_position
from tests.pages.test_notifications import tell
from tests.pages.test_risk import begin_day, make_rule
from tests.pages.test_strategies import activate, make_signal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

UNFOLD = "document.querySelectorAll('details:not(.menu)').forEach((fold) => { fold.open = true; })"
THEME = "(theme) => { document.documentElement.dataset.theme = theme; }"
STILL = "* { transition: none !important; animation: none !important; }"


@pytest.fixture
def lived_in(owner: User, account: TradingAccount, watched: Instrument) -> Mapping[str, object]:
    """A desk with one of everything, and what fills the parameters of the addresses."""
    owner.is_staff = True
    owner.save()
    now = timezone.now()
    desk = Desk(owner, account, watched, now)
    desk.buy(10, "1400.00")
    resting = desk.send(desk.place(limit="1390.00"))
    make_order(account, watched, status="REJECTED", error_message="Margin is missing")
    begin_day(account, desk, pnl="250")
    refresh_funds(account, gateway_for(account, clock=desk.clock).funds(), now=now)
    make_strategy()
    signal = make_signal(activate(desk), watched, desk)
    tell(desk)
    return {
        "order_id": resting.pk,
        "account_id": account.pk,
        "connection_id": make_connection(account).pk,
        "rule_id": make_rule(desk, RuleType.MAX_DAILY_LOSS, "5000").pk,
        "activation_id": signal.user_strategy_id,
        "notification_id": Notification.objects.values_list("pk", flat=True)[0],
        "difference_id": make_difference(account, watched, at=now).pk,
        "settlement_id": make_settlement(account).pk,
        "override_id": ScheduleOverride.objects.create(
            exchange="NSE", day=date(2030, 1, 1), is_open=False, reason="A closed day"
        ).pk,
        "run_id": make_import(owner, at=now).pk,
        "pk": WatchlistItem.objects.get().watchlist_id,
        "market:remove pk": WatchlistItem.objects.get().pk,
        "slug": "price_breakout",
        "broker": "angel",
        "name": "hero",
        "config_id": account.connection_id,
        "token": "none",
        "key": "1-none",
        "uidb36": "1",
    }


def make_strategy() -> None:
    """The built-in one that migrations bring, which a test with transactions begins without."""
    Strategy.objects.get_or_create(
        slug="price_breakout",
        defaults={"name": "Price breakout", "type": "built-in", "algorithm": "price_breakout",
                  "min_capital": 1000, "parameters": default_parameters("price_breakout")},
    )  # fmt: skip


def make_connection(account: TradingAccount) -> BrokerConnection:
    connection = make_account_at("angel", account.workspace).connection
    connection.seal_credentials({"client_code": "A1"})
    connection.save()
    return connection


def make_difference(
    account: TradingAccount, instrument: Instrument, *, at: datetime
) -> PositionDifference:
    return PositionDifference.objects.create(
        account=account, instrument=instrument, instrument_key=instrument.key, product="CNC",
        ours=0, theirs=5, first_seen_at=at, same_since=at, last_seen_at=at, readings=2,
        reason="Waiting for a second reading",
    )  # fmt: skip


def make_settlement(account: TradingAccount) -> ExpirySettlement:
    option = make_instrument(
        "NFO:NIFTY26JUN24000CE", instrument_type="CE", underlying="NIFTY", strike=24000,
        expiry=date(2026, 6, 30),
    )  # fmt: skip
    position = make_position(account, option)
    return ExpirySettlement.objects.create(
        workspace=account.workspace, account=account, position=position, instrument=option,
        quantity=position.quantity, found_at=timezone.now(),
    )  # fmt: skip


def make_import(by: User, *, at: datetime) -> ImportRun:
    run = ImportRun.objects.create(
        kind=ImportKind.OHLCV, file_name="INFY.csv", status=ImportStatus.COMPLETED,
        started_by=by, started_at=at, finished_at=at, rows_read=9, rows_written=8, rows_skipped=1,
    )  # fmt: skip
    run.issues.create(line=4, reason="The high is below the low")
    return run


def look_at(page: Page, path: str) -> list[str]:
    """Look at a page as it opens and with everything unfolded, in both themes and sizes."""
    page.set_viewport_size(DESK)
    page.goto(path)
    page.evaluate(
        "(rules) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(rules);"
        " document.adoptedStyleSheets = [sheet]; }",
        STILL,
    )
    found = []
    for title, size, theme, unfolded in (
        ("desk, dark", DESK, "dark", False),
        ("phone, light", PHONE, "light", False),
        ("phone, dark, unfolded", PHONE, "dark", True),
        ("desk, light, unfolded", DESK, "light", True),
    ):
        page.set_viewport_size(size)
        page.evaluate(THEME, theme)
        if unfolded:
            page.evaluate(UNFOLD)
        found += [f"{path} ({title}): {fault}" for fault in faults(page)]
    return found


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def all_faults(page: Page, paths: Iterable[str]) -> list[str]:
    """:raises AssertionError: where there was nothing to look at."""
    found = [look_at(page, path) for path in paths]
    assert found
    return [fault for each in found for fault in each]


class TestEveryPage:
    @pytest.mark.parametrize("area", areas())
    def test_has_no_fault_with_one_of_everything(
        self, page: Page, owner: User, lived_in: Mapping[str, object], area: str
    ) -> None:
        assert all_faults(page, pages(signed_in(owner), area, lived_in)) == []

    def test_has_none_while_there_is_nothing_yet(self, page: Page, owner: User) -> None:
        client = signed_in(owner)
        paths = [path for area in areas() for path in pages(client, area)]
        assert all_faults(page, paths) == []

    def test_has_none_before_one_has_signed_in(self, page: Page) -> None:
        page.context.clear_cookies()
        assert all_faults(page, pages(Client(), "frame")) == []


class TestWhatFloatsOverAPage:
    @pytest.mark.parametrize("menu", [".account", "[aria-label*='sign out']", "[data-exit]"])
    def test_has_no_fault_as_a_menu(
        self, page: Page, lived_in: Mapping[str, object], menu: str
    ) -> None:
        page.goto("/positions/")
        page.click(menu)
        assert faults(page) == []

    @pytest.mark.parametrize("size", [DESK, PHONE])
    def test_has_none_as_the_order_window(
        self, page: Page, watched: Instrument, size: ViewportSize
    ) -> None:
        page.set_viewport_size(size)
        page.goto("/#watchlist")
        page.click(".watch .sym")
        page.click(".depth .btn-buy")
        expect(page.locator("#ticket-send")).to_be_visible()
        assert faults(page) == []

    @pytest.mark.parametrize("key", ["?", "/"])
    def test_has_none_as_what_a_key_opens(self, page: Page, watched: Instrument, key: str) -> None:
        page.goto("/")
        page.keyboard.press(key)
        page.keyboard.type("rel")
        assert faults(page) == []

"""A signed-in Chromium on a live server; ``bin/test.py`` says in ``CHROMIUM`` where it is."""

import os
from collections.abc import Iterator
from decimal import Decimal
from shutil import which

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from brokers.services import open_paper_account
from market.models import Instrument, Watchlist, WatchlistItem
from market.quotes import put_quotes
from tests.builders import make_instrument, make_user, make_workspace
from tests.pages.conftest import quote_at
from trading_site.assets import build_assets

CHROMIUM = os.environ.get("CHROMIUM") or which("chromium")
PHONE = ViewportSize(width=390, height=844)
NARROW = ViewportSize(width=360, height=800)
DESK = ViewportSize(width=1440, height=900)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.fail("Chromium is not on the PATH: run `make test`, which finds or installs one")
    packages = settings.BASE_DIR / "node_modules"
    if not packages.exists():
        pytest.fail("The front-end files are missing: run `make setup`")
    build_assets(packages=packages, static=settings.BASE_DIR / "static")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def owner(transactional_db: None) -> User:
    return make_user()


@pytest.fixture
def desk(owner: User) -> Workspace:
    return make_workspace(owner)


@pytest.fixture
def account(desk: Workspace) -> TradingAccount:
    return open_paper_account(
        desk, user=desk.owner, name="Practice", cash=Decimal(100000), now=timezone.now()
    )


@pytest.fixture
def watched(desk: Workspace, account: TradingAccount) -> Instrument:
    """RELIANCE at 1,400.00, the only row of the watchlist."""
    share = make_instrument("SIM:RELIANCE", name="Reliance Industries")
    put_quotes([quote_at(share, "1400.00", at=timezone.now())])
    watchlist = Watchlist.objects.create(workspace=desk, user=desk.owner, name="Morning")
    WatchlistItem.objects.create(watchlist=watchlist, instrument=share)
    return share


@pytest.fixture
def page(
    chromium: Browser, live_server: LiveServer, owner: User, desk: Workspace
) -> Iterator[Page]:
    """The home page on a desk's screen, signed in."""
    client = Client()
    client.force_login(owner)
    context = chromium.new_context(viewport=DESK, base_url=live_server.url)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "url": live_server.url, "httpOnly": True}]
    )
    # The test server speaks WSGI, which cannot hold a stream open.
    context.route("**/stream/**", lambda route: route.abort())
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []

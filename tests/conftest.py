import os
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from pytest_django.plugin import blocking_manager_key

from market.auction import forget_auction_shares
from market.calendar import forget_overrides
from market.ex_dates import forget_actions
from market.rules.freeze import forget_freeze_rules
from market.selectors import forget_indices
from portfolio.rates import forget_rates
from portfolio.square_off import forget_times
from tests.databases import begin_with, keep_in_file
from trading_site.celery import app

built_in_strategies = import_module("strategies.migrations.0002_built_in_strategies")

# Playwright's loop would make Django refuse synchronous queries in the test's own thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_configure() -> None:
    """Give each worker a Redis database of its own, for its queues too, and a ready database."""
    folder = os.environ.get("TEST_DATABASE_FOLDER")
    if folder:
        keep_in_file(Path(folder) / "tests.sqlite3")
    template = os.environ.get("TEST_TEMPLATE")
    if template:
        begin_with(template)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if settings.REDIS_URL and worker:
        number = int(worker.removeprefix("gw")) + 1
        settings.REDIS_URL = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{number}"
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
        app.conf.update(broker_url=settings.REDIS_URL)


# What depends on the database: money, orders and books with their locks and constraints, what is
# read by SQL of our own or written in bulk, and every page that lists.
_ON_EACH_DATABASE = (
    "accounts/test_members.py",
    "brokers/test_",
    "market/test_import",
    "market/test_master",
    "market/test_quotes.py",
    "market/test_search.py",
    "market/test_store.py",
    "operations/",
    "orders/",
    "pages/test_home.py",
    "pages/test_orders.py",
    "pages/test_positions.py",
    "pages/test_trades.py",
    "portfolio/",
    "reliability/test_beginning_again.py",
    "reliability/test_faults.py",
    "reliability/test_way_of_an_order.py",
    "risk/",
    "strategies/test_evaluating",
    "strategies/test_killed",
    "streaming/",
    "test_views_of_the_sources.py",
    "trading_site/test_live.py",
    "trading_site/test_page_reads.py",
)
_DATABASE_FIXTURES = {"db", "transactional_db"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what ``bin/test.py`` runs on PostgreSQL too, and let the longest files begin first."""
    tests = Path(__file__).parent
    for item in items:
        uses_database = item.get_closest_marker("django_db") or _DATABASE_FIXTURES.intersection(
            getattr(item, "fixturenames", ())
        )
        where = item.path.relative_to(tests).as_posix()
        if item.get_closest_marker("server") or (
            uses_database and where.startswith(_ON_EACH_DATABASE)
        ):
            item.add_marker("database")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session", autouse=True)
def installation_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep the checkout's own file out of reach, for processes that tests start too."""
    path = tmp_path_factory.mktemp("installation") / "installation.json"
    os.environ["INSTALLATION_FILE"] = settings.INSTALLATION_FILE = str(path)
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Give back the rows of migrations that a test's emptying of all tables has taken."""
    yield
    if nextitem is None:  # the database itself is gone
        return
    marker = item.get_closest_marker("django_db")
    has_emptied = "transactional_db" in getattr(item, "fixturenames", ()) or (
        marker is not None and marker.kwargs.get("transaction")
    )
    if has_emptied:
        with item.config.stash[blocking_manager_key].unblock():
            built_in_strategies.add(apps, None)


@pytest.fixture(autouse=True)
def _nothing_remembered(installation_file: Path) -> Iterator[None]:
    """A rolled-back test leaves no trace in the database, and so none in any memory."""
    installation_file.unlink(missing_ok=True)
    forget_overrides()
    forget_actions()
    forget_auction_shares()
    forget_indices()
    forget_freeze_rules()
    forget_rates()
    forget_times()
    # With Redis this empties all of the process's own database there, queues and quotes too.
    cache.clear()
    yield

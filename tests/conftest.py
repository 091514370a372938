import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.cache import cache

from market.auction import forget_auction_shares
from market.calendar import forget_overrides
from market.rules.freeze import forget_freeze_rules
from market.selectors import forget_indices
from portfolio.rates import forget_rates
from portfolio.square_off import forget_times
from trading_site.celery import app

# Playwright's loop would make Django refuse synchronous queries in the test's own thread.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_configure() -> None:
    """Give each worker a Redis database of its own, for its queues too."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if settings.REDIS_URL and worker:
        number = int(worker.removeprefix("gw")) + 1
        settings.REDIS_URL = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{number}"
        settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
        app.conf.update(broker_url=settings.REDIS_URL)


_WIRE = ("brokers/alpaca", "brokers/angel", "brokers/dhan", "brokers/kite", "simulator")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folders = tuple(f"{Path(__file__).parent}/{name}/" for name in _WIRE)
    for item in items:
        if str(item.path).startswith(folders):
            item.add_marker("wire")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """A rolled-back test leaves no trace in the database, and so none in any memory."""
    forget_overrides()
    forget_auction_shares()
    forget_indices()
    forget_freeze_rules()
    forget_rates()
    forget_times()
    cache.clear()
    if settings.REDIS_URL:
        with redis.Redis.from_url(settings.REDIS_URL) as server:
            server.flushdb()
    yield

"""How fast the pages of a desk with years of orders are: queries, median and slowest."""

from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.desk import open_desk
from bench.figures import THOUSANDTHS, Figures, figure, percentile
from bench.past import ORDERS, write_past

REQUESTS = 20
PAGES = {"Home": "/", "The orders": "/orders/"}


@dataclass(frozen=True, slots=True)
class Page:
    queries: float = field(metadata=figure("queries", "", "of one request", at_most=15))
    median: float = field(
        metadata=figure("median", "ms", f"over {REQUESTS} requests, middleware and templates too")
    )
    p95: float = field(metadata=figure("p95", "ms", "the same"))


class PageFailed(Exception):
    """The page did not answer as it should: there is nothing to time."""


def measure() -> dict[str, Figures]:
    desk = open_desk("pages")
    write_past(desk)
    client = Client(SERVER_NAME="localhost")
    client.force_login(desk.user)
    return {
        f"{name} ({ORDERS:,} orders)": _page(client, address) for name, address in PAGES.items()
    }


def _page(client: Client, address: str) -> Page:
    _ask(client, address)  # the first request of a session writes to it, and loads the templates
    with CaptureQueriesContext(connection) as captured:
        _ask(client, address)
    queries = len(captured)  # now: the next request empties the log
    times = [_ask(client, address) for _ in range(REQUESTS)]
    return Page(queries, median(times), percentile(times, 95))


def _ask(client: Client, address: str) -> float:
    """Return the milliseconds it took.

    :raises PageFailed: when the answer is no page.
    """
    started = perf_counter()
    status = client.get(address).status_code
    milliseconds = (perf_counter() - started) * THOUSANDTHS
    if status != 200:
        raise PageFailed(f"{address} answered {status}")
    return milliseconds

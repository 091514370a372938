"""What a row of the watchlist unfolds lives as its price does."""

import json

import pytest
from playwright.sync_api import Page, expect

from market.models import Instrument

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUOTE = {
    "p": "1402.50", "c": None, "cp": None, "t": "2026-06-17T05:00:07+00:00",
    "high": "1403.00", "low": "1398.00", "bid": "1402.45", "ask": None,
    "bid_quantity": 250, "ask_quantity": 0, "volume": 150000,
}  # fmt: skip


@pytest.fixture
def told(page: Page, watched: Instrument) -> None:
    """A stream that tells one quote of RELIANCE."""
    body = f"retry: 60000\n\nevent: quotes\ndata: {json.dumps({watched.key: QUOTE})}\n\n"
    page.route(
        "**/stream/**",
        lambda route: route.fulfill(content_type="text/event-stream", body=body),
    )


@pytest.mark.usefixtures("told")
class TestDepth:
    @pytest.mark.parametrize(
        ("fact", "words"),
        [
            ("bid", "1,402.45"),
            ("bid_quantity", "250"),
            ("ask", "–"),
            ("volume", "1,50,000"),
            ("high", "1,403.00"),
            ("t", "10:30:07"),
        ],
    )
    def test_follows_the_stream(self, page: Page, fact: str, words: str) -> None:
        page.goto("/")
        expect(page.locator(f".depth [data-fact='{fact}']")).to_have_text(words)

"""A page that is left holds no stream; one that the browser brings back opens a new one."""

import pytest
from playwright.sync_api import Page, expect

from market.models import Instrument

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Every stream that the page opens, for the tests to look at.
RECORD = """
  window.streams = [];
  window.EventSource = class extends EventSource {
    constructor(address) { super(address); window.streams.push(this); }
  };
"""
OPEN = "streams.filter((stream) => stream.readyState !== EventSource.CLOSED).length"
TELL = """([name, persisted]) =>
  window.dispatchEvent(new PageTransitionEvent(name, { persisted }))"""


@pytest.fixture
def recorded(page: Page, watched: Instrument) -> Page:
    """The home page, whose streams go on connecting until they are closed."""
    page.context.unroute("**/stream/**")
    page.route("**/stream/**", lambda route: None)
    page.add_init_script(RECORD)
    page.goto("/")
    assert page.evaluate(OPEN) == 1
    return page


class TestPageThatIsLeft:
    @pytest.mark.parametrize("is_kept", [True, False])
    def test_closes_its_stream(self, recorded: Page, is_kept: bool) -> None:
        recorded.evaluate(TELL, ["pagehide", is_kept])
        assert recorded.evaluate(OPEN) == 0

    def test_opens_its_stream_again_when_it_comes_back(self, recorded: Page) -> None:
        recorded.evaluate(TELL, ["pagehide", True])
        recorded.evaluate(TELL, ["pageshow", True])
        assert recorded.evaluate(OPEN) == 1
        assert recorded.evaluate("streams.length") == 2
        # Until the stream is there, its prices are those of when the page was left.
        expect(recorded.locator("body[data-stream='lost']")).to_be_attached()

    def test_has_one_stream_however_often_it_comes_back(self, recorded: Page) -> None:
        for _ in range(3):
            recorded.evaluate(TELL, ["pagehide", True])
            recorded.evaluate(TELL, ["pageshow", True])
        assert recorded.evaluate(OPEN) == 1

    def test_opens_no_second_stream_when_it_was_never_kept(self, recorded: Page) -> None:
        recorded.evaluate(TELL, ["pageshow", False])
        assert recorded.evaluate("streams.length") == 1

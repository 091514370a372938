"""What is remembered may be forgotten by another thread at any moment of its being read."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType

import pytest

from brokers.terms import InstrumentType
from market import auction, ex_dates, overrides, selectors
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 17, 4, 30, tzinfo=UTC)


@contextmanager
def forgetting_at_each_line(module: str, forget: Callable[[], None]) -> Iterator[None]:
    """Forget before every line of the module, as a thread that runs in between would."""

    def trace(frame: FrameType, event: str, arg: object) -> object:
        if frame.f_code.co_filename != module:
            return None
        forget()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.settrace(before)


class TestForgettingWhileItIsRead:
    def test_changes_no_hours(self) -> None:
        with forgetting_at_each_line(overrides.__file__, overrides.announce_rules):
            assert overrides.current_overrides().rows == {}

    def test_changes_no_shares_in_old_shares(self) -> None:
        with forgetting_at_each_line(ex_dates.__file__, ex_dates.forget_actions):
            assert ex_dates.in_old_shares(NOW) == frozenset()

    def test_changes_no_auction(self) -> None:
        with forgetting_at_each_line(auction.__file__, auction.forget_auction_shares):
            assert auction.shares_with_futures(NOW.date()) == frozenset()

    def test_changes_no_indices(self) -> None:
        index = make_instrument("NSE:NIFTY 50", instrument_type=InstrumentType.INDEX)
        with forgetting_at_each_line(selectors.__file__, selectors.forget_indices):
            assert selectors.index_instruments() == [index]

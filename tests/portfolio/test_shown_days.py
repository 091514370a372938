"""Which day pages speak of."""

from datetime import UTC, date, datetime, timedelta

import pytest

from portfolio.board import closed_on
from portfolio.shown_days import played_days, shown_days
from tests.builders import NOW, make_account, make_instrument
from tests.portfolio.fills import TODAY, make_desk, trade

pytestmark = pytest.mark.django_db
FRIDAY, SATURDAY = date(2026, 6, 19), datetime(2026, 6, 20, 6, tzinfo=UTC)


class TestShownDays:
    def test_is_today_before_anything_has_happened(self) -> None:
        days = shown_days([make_desk()], now=NOW)
        assert (days.latest, days.words) == (TODAY, "today")

    def test_is_still_friday_on_a_saturday(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100", session_date=FRIDAY)
        days = shown_days([account], now=SATURDAY)
        assert (days.latest, days.words) == (FRIDAY, "on 19 Jun 2026")

    def test_is_the_last_one_that_a_replay_has_played(self) -> None:
        account = make_desk(own_clock=True)
        trade(account, make_instrument(), "BUY 10 @ 100", "SELL 10 @ 103")
        days = shown_days([account], now=NOW + timedelta(days=400))
        assert days.latest == TODAY

    def test_says_so_where_replays_ended_on_different_days(self) -> None:
        first, share = make_desk(own_clock=True), make_instrument()
        second = make_account(first.workspace, "Second", own_clock=True)
        trade(first, share, "BUY 10 @ 100")
        trade(second, share, "BUY 10 @ 100", session_date=FRIDAY)
        days = shown_days([first, second], now=NOW + timedelta(days=400))
        assert days.words == "on the last day of each account"

    def test_holds_what_was_closed_in_it(self) -> None:
        account = make_desk(own_clock=True)
        trade(account, make_instrument(), "BUY 10 @ 100", "SELL 10 @ 103")
        days = shown_days([account], now=NOW + timedelta(days=400))
        assert [position.sell_quantity for position in closed_on(days)] == [10]

    def test_ends_for_american_shares_at_new_yorks_midnight(self) -> None:
        account = make_account(make_desk().workspace, "America", currency="USD")
        share = make_instrument("NASDAQ:AAPL")
        trade(account, share, "BUY 10 @ 100", "SELL 10 @ 103")
        moved = datetime(2026, 6, 17, 19, 30, tzinfo=UTC)  # 15:30 there, past midnight in India
        account.positions.update(closed_at=moved)
        assert closed_on(shown_days([account], now=moved.replace(hour=18)))


class TestPlayedDays:
    def test_are_none_before_anything_was_played(self) -> None:
        assert played_days([make_desk(own_clock=True)]) is None

from datetime import UTC, datetime, timedelta

import pytest

from market.calendar import IST
from tests.builders import NOW
from trading_site.market_day import clock_words, market_day

pytestmark = pytest.mark.django_db


def ist(hour: int, minute: int = 0, *, day: int = 17) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=IST)


class TestMarketDay:
    def test_beyond_the_calendar_says_so_and_counts_nothing(self) -> None:
        day = market_day("NSE", now=datetime(2090, 1, 2, 5, tzinfo=UTC))
        assert day.words == "Market hours unknown" and day.next_at is None

    def test_without_hours_says_where_to_enter_them(self) -> None:
        day = market_day("NSE", now=datetime(2026, 11, 8, 12, tzinfo=UTC))
        assert (day.words, day.hours) == (
            "Market hours unknown",
            "Not known for 8 Nov: see Calendar",
        )

    def test_before_a_day_without_hours_is_closed_all_the_same(self) -> None:
        day = market_day("NSE", now=datetime(2026, 11, 7, 6, tzinfo=UTC))
        assert day.words == "Market closed"
        assert day.hours == "8 Nov: hours not known, see Calendar"

    def test_on_the_last_known_day_is_closed_after_the_close(self) -> None:
        day = market_day("NSE", now=datetime(2026, 12, 31, 14, tzinfo=UTC))
        assert (day.words, day.hours) == ("Market closed", "The calendar ends today")

    def test_in_the_morning_is_open_and_counts_down(self) -> None:
        day = market_day("NSE", now=NOW)
        assert (day.words, day.mark) == ("Market open", "open")
        assert day.next_at is not None and day.next_at > NOW

    def test_at_night_counts_down_to_the_open(self) -> None:
        day = market_day("NSE", now=ist(22))
        assert (day.words, day.mark, day.next_words) == ("Market closed", "closed", "Opens in")
        assert day.countdown == "11:15:00"

    def test_before_a_weekend_names_the_day_instead_of_counting(self) -> None:
        day = market_day("NSE", now=ist(20, day=19))
        assert day.next_at is None and day.hours == "Opens Mon 09:15 IST"

    def test_of_the_simulated_exchange_never_ends(self) -> None:
        assert market_day("SIM", now=ist(3)).mark == "open"

    def test_of_an_american_exchange_is_told_in_indian_time(self) -> None:
        day = market_day("NASDAQ", now=ist(20))
        assert (day.words, day.hours) == ("US market open", "19:00 to 01:30 IST")
        assert day.gates == ["6.67", "93.33"] and day.past_percent == "20.00"

    @pytest.mark.parametrize(
        ("now", "past"), [(ist(8), "0.00"), (ist(12, 30), "50.00"), (ist(18), "100.00")]
    )
    def test_line_is_filled_up_to_now(self, now: datetime, past: str) -> None:
        assert market_day("SIM", now=now).past_percent == past


class TestClockWords:
    def test_count_hours_minutes_and_seconds(self) -> None:
        assert clock_words(timedelta(hours=1, minutes=32, seconds=42)) == "1:32:42"

    def test_never_run_below_nothing(self) -> None:
        assert clock_words(timedelta(seconds=-5)) == "0:00:00"

from datetime import UTC, date, datetime, time

import pytest
from pytest_django import DjangoAssertNumQueries

from brokers.venue import CalendarUnknown, Phase
from market.calendar import (
    IST,
    is_trading_day,
    last_session_date,
    next_trading_day,
    phase,
    previous_trading_day,
    session_date,
    session_hours,
)
from market.models import ScheduleOverride

pytestmark = pytest.mark.django_db

BEFORE_AUCTION = date(2026, 7, 31)
SINCE_AUCTION = date(2026, 8, 4)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), IST)


def close_on(day: date, exchange: str = "NSE") -> ScheduleOverride:
    return ScheduleOverride.objects.create(
        exchange=exchange, day=day, is_open=False, reason="Election"
    )


def open_on(day: date, opens: str, closes: str) -> ScheduleOverride:
    return ScheduleOverride.objects.create(
        exchange="NSE",
        day=day,
        is_open=True,
        opens_at=time.fromisoformat(opens),
        closes_at=time.fromisoformat(closes),
        reason="Muhurat trading",
    )


class TestPhase:
    def test_is_refused_beyond_the_calendar(self) -> None:
        with pytest.raises(CalendarUnknown, match="NSE calendar is known from"):
            phase("NSE", "NSE_EQ", at(date(2099, 1, 5), "10:00"))

    def test_is_refused_for_an_exchange_without_a_calendar(self) -> None:
        with pytest.raises(CalendarUnknown, match="MCX"):
            phase("MCX", "MCX_COMM", at(BEFORE_AUCTION, "10:00"))

    @pytest.mark.parametrize(
        ("clock", "expected"),
        [
            ("08:59:59", Phase.CLOSED),
            ("09:00", Phase.PRE_OPEN),
            ("09:11:59", Phase.PRE_OPEN),
            ("09:12", Phase.CLOSED),
            ("09:14:59", Phase.CLOSED),
            ("09:15", Phase.OPEN),
            ("15:29:59.999999", Phase.OPEN),
            ("15:30", Phase.CLOSED),
            ("15:40", Phase.POST_CLOSE),
            ("16:00", Phase.CLOSED),
        ],
    )
    def test_follows_the_cash_day(self, clock: str, expected: Phase) -> None:
        assert phase("NSE", "NSE_EQ", at(BEFORE_AUCTION, clock)) is expected

    def test_takes_a_moment_of_any_zone(self) -> None:
        assert phase("NSE", "NSE_EQ", datetime(2026, 6, 17, 5, 0, tzinfo=UTC)) is Phase.OPEN

    @pytest.mark.parametrize(
        ("clock", "expected"),
        [
            ("15:14:59", Phase.OPEN),
            ("15:15", Phase.CLOSING_PAUSE),
            ("15:19:59", Phase.CLOSING_PAUSE),
            ("15:20", Phase.CLOSING_AUCTION),
            ("15:34:59", Phase.CLOSING_AUCTION),
            ("15:35", Phase.CLOSED),
            ("15:50", Phase.POST_CLOSE),
        ],
    )
    def test_ends_a_share_with_derivatives_by_auction(self, clock: str, expected: Phase) -> None:
        moment = at(SINCE_AUCTION, clock)

        assert phase("NSE", "NSE_EQ", moment, has_closing_auction=True) is expected

    def test_knows_no_auction_before_its_first_day(self) -> None:
        moment = at(BEFORE_AUCTION, "15:17")

        assert phase("NSE", "NSE_EQ", moment, has_closing_auction=True) is Phase.OPEN

    def test_leaves_other_shares_open_until_half_past_three(self) -> None:
        assert phase("NSE", "NSE_EQ", at(SINCE_AUCTION, "15:29")) is Phase.OPEN

    def test_trades_derivatives_ten_minutes_longer_since_the_auction(self) -> None:
        assert phase("NFO", "NSE_FNO", at(SINCE_AUCTION, "15:35")) is Phase.OPEN

    def test_closed_derivatives_with_the_shares_before(self) -> None:
        assert phase("NFO", "NSE_FNO", at(BEFORE_AUCTION, "15:30")) is Phase.CLOSED

    def test_is_open_at_the_simulated_exchange_on_a_sunday_night(self) -> None:
        assert phase("SIM", "NSE_EQ", at(date(2026, 6, 21), "23:59:59.999999")) is Phase.OPEN

    def test_tells_american_hours_in_their_own_zone(self) -> None:
        assert phase("NASDAQ", "US_EQ", datetime(2026, 1, 6, 20, 59, tzinfo=UTC)) is Phase.OPEN


class TestSessionHours:
    def test_are_none_on_a_holiday(self) -> None:
        assert session_hours("NSE", "NSE_EQ", date(2026, 1, 26)) is None

    def test_are_none_at_a_weekend(self) -> None:
        assert session_hours("BSE", "BSE_EQ", date(2026, 6, 20)) is None

    def test_bound_continuous_trading(self) -> None:
        hours = session_hours("NSE", "NSE_EQ", BEFORE_AUCTION)

        assert hours is not None
        assert (hours.opens_at, hours.closes_at) == (
            at(BEFORE_AUCTION, "09:15"),
            at(BEFORE_AUCTION, "15:30"),
        )

    def test_end_early_in_america_after_thanksgiving(self) -> None:
        hours = session_hours("NYSE", "US_EQ", date(2025, 11, 28))

        assert hours is not None
        assert hours.closes_at == datetime(2025, 11, 28, 18, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        "day", [date(2019, 10, 27), date(2020, 2, 1), date(2020, 11, 14), date(2024, 3, 2)]
    )
    def test_know_the_weekend_sessions_that_were_held(self, day: date) -> None:
        assert session_hours("NSE", "NSE_EQ", day) is not None

    def test_keep_the_break_of_a_drill(self) -> None:
        drill = date(2024, 3, 2)

        assert phase("NSE", "NSE_EQ", at(drill, "10:30")) is Phase.CLOSED
        assert phase("NSE", "NSE_EQ", at(drill, "12:29")) is Phase.OPEN

    def test_are_quick_to_ask_again(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        session_hours("NSE", "NSE_EQ", BEFORE_AUCTION)

        with django_assert_num_queries(0):
            for _ in range(100):
                phase("NFO", "NSE_FNO", at(BEFORE_AUCTION, "10:00"))


class TestOverride:
    def test_closes_a_day(self) -> None:
        close_on(BEFORE_AUCTION)

        assert session_hours("NSE", "NSE_EQ", BEFORE_AUCTION) is None

    def test_is_seen_at_once_where_it_is_written(self) -> None:
        assert is_trading_day("NSE", BEFORE_AUCTION)

        close_on(BEFORE_AUCTION)

        assert not is_trading_day("NSE", BEFORE_AUCTION)

    def test_holds_no_longer_once_deleted(self) -> None:
        override = close_on(BEFORE_AUCTION)
        assert not is_trading_day("NSE", BEFORE_AUCTION)

        override.delete()

        assert is_trading_day("NSE", BEFORE_AUCTION)

    def test_closes_the_derivatives_of_that_exchange_too(self) -> None:
        close_on(BEFORE_AUCTION)

        assert not is_trading_day("NFO", BEFORE_AUCTION)

    def test_leaves_other_exchanges_alone(self) -> None:
        close_on(BEFORE_AUCTION)

        assert is_trading_day("BSE", BEFORE_AUCTION)

    def test_opens_a_sunday_evening(self) -> None:
        muhurat = date(2026, 11, 8)
        open_on(muhurat, "18:00", "19:00")

        assert phase("NSE", "NSE_EQ", at(muhurat, "18:30")) is Phase.OPEN
        assert phase("NSE", "NSE_EQ", at(muhurat, "19:00")) is Phase.CLOSED

    def test_with_the_usual_hours_keeps_every_phase(self) -> None:
        saturday = date(2026, 8, 8)
        open_on(saturday, "09:15", "15:30")

        assert phase("NFO", "NSE_FNO", at(saturday, "15:35")) is Phase.OPEN
        assert phase("NSE", "NSE_EQ", at(saturday, "09:05")) is Phase.PRE_OPEN

    def test_makes_a_day_known_beyond_the_calendar(self) -> None:
        beyond = date(2099, 1, 5)
        open_on(beyond, "09:15", "15:30")

        assert phase("NSE", "NSE_EQ", at(beyond, "10:00")) is Phase.OPEN


class TestTradingDay:
    def test_next_is_refused_at_the_end_of_the_calendar(self) -> None:
        with pytest.raises(CalendarUnknown):
            next_trading_day("NSE", date(2099, 1, 5))

    def test_next_skips_weekend_and_holiday(self) -> None:
        assert next_trading_day("NSE", date(2026, 1, 23)) == date(2026, 1, 27)

    def test_previous_skips_weekend_and_holiday(self) -> None:
        assert previous_trading_day("NSE", date(2026, 1, 27)) == date(2026, 1, 23)


class TestSessionDate:
    def test_is_the_day_itself_until_its_last_phase_ends(self) -> None:
        assert session_date("NSE", at(BEFORE_AUCTION, "15:59")) == BEFORE_AUCTION

    def test_is_the_day_itself_before_it_opens(self) -> None:
        assert session_date("NSE", at(BEFORE_AUCTION, "00:05")) == BEFORE_AUCTION

    def test_is_the_next_trading_day_once_closed(self) -> None:
        assert session_date("NSE", at(BEFORE_AUCTION, "16:00")) == date(2026, 8, 3)

    def test_is_the_day_in_india_at_the_simulated_exchange(self) -> None:
        assert session_date("SIM", datetime(2026, 6, 20, 18, 31, tzinfo=UTC)) == date(2026, 6, 21)

    def test_last_stays_through_evening_and_weekend(self) -> None:
        assert last_session_date("NSE", at(date(2026, 8, 2), "12:00")) == BEFORE_AUCTION

    def test_last_changes_with_the_pre_open(self) -> None:
        monday = date(2026, 8, 3)

        assert last_session_date("NSE", at(monday, "08:59")) == BEFORE_AUCTION
        assert last_session_date("NSE", at(monday, "09:00")) == monday

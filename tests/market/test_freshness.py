"""A list that is not the day's stops entries, in words; exits are judged elsewhere and go on."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.conf import LazySettings

from brokers.registry import master_of
from market.freshness import due_on, list_ages, list_complaint
from market.models import BrokerInstrument, Instrument
from tests.builders import make_instrument

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2026, 6, 17)


def at(hour: int, minute: int = 0, *, day: int = 17) -> datetime:
    """A moment in India."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC) - timedelta(hours=5, minutes=30)


def numbered(day: date | None, *, is_listed: bool = True) -> Instrument:
    instrument = make_instrument()
    BrokerInstrument.objects.create(
        instrument=instrument,
        broker_type="angel",
        exchange="NSE",
        security_id="2885",
        refreshed_on=day,
        is_listed=is_listed,
    )
    return instrument


class TestListComplaint:
    def test_of_a_broker_that_never_listed_it(self) -> None:
        words = list_complaint(make_instrument(), broker="angel", at=at(10))
        assert "Angel One does not list" in words

    def test_of_a_broker_that_lists_it_no_longer(self) -> None:
        instrument = numbered(WEDNESDAY, is_listed=False)
        assert "no longer lists" in list_complaint(instrument, broker="angel", at=at(10))

    def test_of_yesterdays_list(self) -> None:
        words = list_complaint(numbered(date(2026, 6, 16)), broker="angel", at=at(9, 15))
        assert words == "The instrument list of Angel One is from 16 Jun 2026: refresh it"

    def test_of_a_list_of_no_known_day(self) -> None:
        assert "unknown day" in list_complaint(numbered(None), broker="angel", at=at(10))

    def test_is_silent_before_the_days_list_is_wanted(self) -> None:
        instrument = numbered(date(2026, 6, 16))
        assert not list_complaint(instrument, broker="angel", at=at(8, 44))
        assert list_complaint(instrument, broker="angel", at=at(8, 45))

    def test_is_silent_over_a_weekend(self) -> None:
        assert not list_complaint(numbered(date(2026, 6, 19)), broker="angel", at=at(12, day=21))

    def test_is_silent_of_the_paper_broker(self) -> None:
        assert not list_complaint(make_instrument(), broker="paper", at=at(10))

    def test_bears_the_age_that_the_house_allows(self, settings: LazySettings) -> None:
        settings.INSTRUMENT_LIST_DAYS = 1
        instrument = numbered(date(2026, 6, 16))
        assert not list_complaint(instrument, broker="angel", at=at(10))
        assert list_complaint(instrument, broker="angel", at=at(10, day=18))


class TestDueOn:
    def test_of_an_american_list_follows_new_york(self) -> None:
        master = master_of("alpaca")
        assert due_on(master, at(12), since=time(8)) == date(2026, 6, 16)
        assert due_on(master, at(18), since=time(8)) == WEDNESDAY

    def test_beyond_the_calendar_is_the_day_itself(self) -> None:
        moment = datetime(2099, 1, 4, 6, tzinfo=UTC)
        assert due_on(master_of("angel"), moment, since=time(8)) == date(2099, 1, 4)


class TestListAges:
    def test_leave_the_paper_broker_out(self) -> None:
        assert list_ages(["paper"], at=at(10)) == []

    def test_tell_the_day_and_the_size(self) -> None:
        numbered(date(2026, 6, 16))
        (age,) = list_ages(["angel"], at=at(10))
        assert (age.label, age.listed_on, age.rows) == ("Angel One", date(2026, 6, 16), 1)
        assert age.is_stale

    def test_of_none_at_all_are_stale(self) -> None:
        (age,) = list_ages(["kite"], at=at(10))
        assert (age.listed_on, age.is_stale) == (None, True)

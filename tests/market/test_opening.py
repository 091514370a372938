"""An exchange opened by hand, so that a simulated broker can be tried at any hour."""

from datetime import date, datetime, time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from brokers.venue import Phase
from market.calendar import IST, is_trading_day, local_day, phase
from market.models import ScheduleOverride
from market.opening import OPENED, OpeningRefused, open_all_day, restore_hours
from tests.brokers.connecting import connect_angel
from tests.builders import make_user, make_workspace

pytestmark = pytest.mark.django_db

SATURDAY = datetime(2026, 11, 21, 22, 15, tzinfo=IST)
SUNDAY = SATURDAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _angel_is_simulated(settings: Settings) -> None:
    settings.BROKER_ENDPOINTS = {"angel": "http://127.0.0.1:9101"}


class TestOpenAllDay:
    @pytest.mark.parametrize("named", [{}, {"angel": ""}, {"nobody": "http://127.0.0.1:1"}])
    def test_is_refused_where_no_broker_is_simulated(
        self, settings: Settings, named: dict[str, str]
    ) -> None:
        settings.BROKER_ENDPOINTS = named
        with pytest.raises(OpeningRefused, match="No broker is simulated here"):
            open_all_day("NSE", now=SATURDAY)
        assert not ScheduleOverride.objects.exists()

    def test_is_refused_while_live_trading_is_on_at_a_real_broker(self, settings: Settings) -> None:
        connection = connect_angel(make_workspace(make_user()))
        connection.accounts.update(live_enabled=True)
        open_all_day("NSE", now=SATURDAY)
        settings.BROKER_ENDPOINTS = {"kite": "http://127.0.0.1:9102"}
        with pytest.raises(OpeningRefused, match="Live trading is on at Angel, which is no sim"):
            open_all_day("NSE", now=SATURDAY)

    def test_leaves_a_holiday_alone(self) -> None:
        holiday = {"exchange": "NSE", "day": date(2026, 11, 22), "reason": "Diwali"}
        ScheduleOverride.objects.create(**holiday, is_open=False)
        with pytest.raises(OpeningRefused, match=r"NSE on 22 Nov 2026 .*\(Diwali\)"):
            open_all_day("NSE", now=SATURDAY)
        assert [each.reason for each in ScheduleOverride.objects.all()] == ["Diwali"]

    def test_opens_today_and_tomorrow_at_every_hour(self) -> None:
        assert phase("NSE", "NSE_EQ", SATURDAY) is Phase.CLOSED
        open_all_day("NSE", now=SATURDAY)
        for moment in (SATURDAY, SUNDAY, SUNDAY.replace(hour=3)):
            assert phase("NSE", "NSE_EQ", moment) is Phase.OPEN
            assert phase("NFO", "NSE_FNO", moment) is Phase.OPEN
        assert phase("BSE", "BSE_EQ", SATURDAY) is Phase.CLOSED

    def test_again_changes_nothing(self) -> None:
        assert open_all_day("NSE", now=SATURDAY) == open_all_day("NSE", now=SATURDAY)
        assert ScheduleOverride.objects.filter(reason=OPENED).count() == 2


class TestRestoreHours:
    def test_takes_only_its_own_days_back(self) -> None:
        ScheduleOverride.objects.create(
            exchange="NSE",
            day=date(2026, 11, 8),
            is_open=True,
            opens_at=time(18),
            closes_at=time(19),
            reason="Muhurat trading",
        )
        open_all_day("NSE", now=SATURDAY)
        assert restore_hours("NSE") == 2
        assert [each.reason for each in ScheduleOverride.objects.all()] == ["Muhurat trading"]
        assert not is_trading_day("NSE", date(2026, 11, 21))


class TestCommand:
    def test_is_refused_in_words(self, settings: Settings) -> None:
        settings.BROKER_ENDPOINTS = {}
        with pytest.raises(CommandError, match="name a simulator first"):
            call_command("open_exchange", "NSE")

    def test_does_not_know_the_simulated_exchange(self) -> None:
        with pytest.raises(CommandError, match="invalid choice: 'SIM'"):
            call_command("open_exchange", "SIM")

    def test_opens_and_closes_again(self) -> None:
        out = StringIO()
        call_command("open_exchange", "NSE", "BSE", stdout=out)
        today = local_day("NSE", timezone.now())
        assert ScheduleOverride.objects.filter(day=today, is_open=True).count() == 2
        call_command("open_exchange", "NSE", "BSE", "NFO", "--close-again", stdout=out)
        assert not ScheduleOverride.objects.exists()
        for words in ("BSE trades all day", "within half a minute", "NFO was not opened here"):
            assert words in out.getvalue()

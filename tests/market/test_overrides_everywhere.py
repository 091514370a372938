"""What one process enters, another one goes by at once."""

from datetime import date

import pytest
from django.core.cache import cache
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import RedisError

from market import overrides
from market.calendar import is_trading_day
from market.models import ScheduleOverride

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 18)


def written_by_another_process() -> None:
    """Write without this process's signals, and tell what the other one's would."""
    row = ScheduleOverride(exchange="NSE", day=DAY, is_open=False, reason="Election")
    ScheduleOverride.objects.bulk_create([row])


class TestEdition:
    def test_makes_a_process_read_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(overrides, "_GLANCES_EVERY", -1.0)
        assert is_trading_day("NSE", DAY)
        written_by_another_process()
        assert is_trading_day("NSE", DAY)

        cache.set("market.calendar.edition", "another")

        assert not is_trading_day("NSE", DAY)

    def test_is_published_once_the_change_is_committed(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            ScheduleOverride.objects.create(
                exchange="NSE", day=DAY, is_open=False, reason="Election"
            )
            assert cache.get("market.calendar.edition") is None
        assert cache.get("market.calendar.edition")

    def test_that_cannot_be_read_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(overrides, "_GLANCES_EVERY", -1.0)
        assert is_trading_day("NSE", DAY)

        def unreachable(key: str) -> str:
            raise RedisError(key)

        monkeypatch.setattr(cache, "get", unreachable)
        assert is_trading_day("NSE", DAY)

"""The demo desk: on a laptop only, complete, and the same however often it is set up."""

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User, Workspace
from brokers.models import TradingAccount
from market.models import Candle, Watchlist
from portfolio.models import Funds
from risk.models import RiskRule
from strategies.models import ActivationStatus, UserStrategy
from trading_site.demo_desk import PASSWORD, USERNAME, DemoRefused, set_up_demo


@pytest.mark.django_db
class TestSetUpDemo:
    @pytest.mark.parametrize(
        ("name", "value"), [("HTTPS", True), ("REDIS_URL", "redis://localhost/0")]
    )
    def test_is_refused_on_a_server(self, settings: Settings, name: str, value: object) -> None:
        settings.HTTPS, settings.REDIS_URL = False, ""
        setattr(settings, name, value)
        with pytest.raises(DemoRefused):
            set_up_demo(timezone.now)
        with pytest.raises(CommandError, match="for a laptop"):
            call_command("setup_demo")
        assert not User.objects.exists()

    def test_is_complete_and_changes_nothing_the_second_time(self, settings: Settings) -> None:
        settings.HTTPS, settings.REDIS_URL = False, ""
        set_up_demo(timezone.now)
        stopped = UserStrategy.objects.order_by("pk")[0]
        UserStrategy.objects.filter(pk=stopped.pk).update(status=ActivationStatus.STOPPED)
        before = self.figures()
        set_up_demo(timezone.now)
        assert self.figures() == before == [1, 1, 1, 16, 4, 3, 2]
        assert authenticate(username=USERNAME, password=PASSWORD) is not None
        assert User.objects.get().is_staff  # so that files can be imported
        assert Funds.objects.get().available_balance == 1_000_000
        assert Candle.objects.count() > 3 * 1440 * 16

    def figures(self) -> list[int]:
        return [
            User.objects.count(),
            Workspace.objects.count(),
            TradingAccount.objects.count(),
            Watchlist.objects.get().items.count(),
            RiskRule.objects.count(),
            UserStrategy.objects.count(),
            UserStrategy.objects.running().count(),
        ]

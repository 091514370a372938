from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Model
from django.utils import timezone

from accounts.models import UserSession
from brokers.models import BrokerConnection, StreamConnection, StreamMessage, StreamStatus
from notifications.models import AlertLevel, Notification, NotificationType
from operations.models import ErrorLog, Event
from operations.retention import RULES, Rule, apply_retention
from tests.builders import NOW, make_account, make_user, make_workspace
from tests.specimens import Specimens

pytestmark = pytest.mark.django_db

KEPT_FOR_EVER = {
    "orders.Order",
    "orders.OrderEvent",
    "orders.Trade",
    "portfolio.Position",
    "portfolio.LedgerEntry",
    "strategies.Strategy",
    "strategies.UserStrategy",
    "strategies.Signal",
    "accounts.User",
}


def notification(created_at: datetime) -> Notification:
    return Notification.objects.create(
        user=None,
        notification_type=NotificationType.SYSTEM_ERROR,
        alert_level=AlertLevel.ERROR,
        title="Down",
        message="The stream is down",
        created_at=created_at,
    )


def stream_that_ended(connection: BrokerConnection, days: int) -> StreamConnection:
    return StreamConnection.objects.create(
        connection=connection,
        status=StreamStatus.DISCONNECTED,
        disconnected_at=NOW - timedelta(days=days),
    )


class TestRules:
    def test_never_name_what_is_kept_for_ever(self) -> None:
        assert not KEPT_FOR_EVER & {rule.table for rule in RULES}

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.table)
    def test_name_a_table_and_a_moment_that_exist(self, rule: Rule) -> None:
        columns = {field.name for field in apps.get_model(rule.table)._meta.concrete_fields}
        assert {rule.moment, *rule.only} <= columns

    @pytest.mark.parametrize(
        ("table", "days"),
        [
            ("portfolio.TradingSession", 366),
            ("risk.RiskViolation", 366),
            ("notifications.Notification", 30),
            ("accounts.UserSession", 7),
        ],
    )
    def test_are_those_of_the_source(self, table: str, days: int) -> None:
        [rule] = [rule for rule in RULES if rule.table == table]
        assert rule.kept_for == timedelta(days=days)


class TestApplyRetention:
    def test_removes_nothing_in_a_dry_run(self) -> None:
        notification(NOW - timedelta(days=31))
        outcomes = apply_retention(now=NOW, is_dry_run=True)
        assert {each.table: each.rows for each in outcomes}["notifications.Notification"] == 1
        assert Notification.objects.count() == 1

    def test_keeps_what_is_not_old_enough_by_a_second(self) -> None:
        old = NOW - timedelta(days=30)
        kept = notification(old)
        notification(old - timedelta(seconds=1))
        apply_retention(now=NOW, is_dry_run=False)
        assert Notification.objects.get() == kept

    def test_removes_more_than_one_batch(self) -> None:
        Event.objects.bulk_create(
            Event(kind="orders", created_at=NOW - timedelta(days=8)) for _ in range(2500)
        )
        apply_retention(now=NOW, is_dry_run=False)
        assert not Event.objects.exists()

    def test_counts_a_sign_in_from_when_it_ended(self) -> None:
        user = make_user()
        for name, days in (("old", 8), ("young", 6)):
            UserSession.objects.create(
                user=user, session_key_hash=name, expires_at=NOW - timedelta(days=days)
            )
        apply_retention(now=NOW, is_dry_run=False)
        assert UserSession.objects.get().session_key_hash == "young"

    def test_keeps_a_stream_that_runs_however_old_and_lets_go_of_what_was_heard(self) -> None:
        broker = make_account(make_workspace(make_user())).connection
        running, ended, young = (stream_that_ended(broker, days) for days in (40, 40, 29))
        StreamConnection.objects.filter(pk=running.pk).update(status=StreamStatus.CONNECTED)
        for stream in (running, ended, young):
            StreamMessage.objects.create(stream=stream, sequence=1)
        heard = StreamMessage.objects.exclude(stream=young)
        heard.update(received_at=NOW - timedelta(days=40))
        apply_retention(now=NOW, is_dry_run=False)
        assert set(StreamConnection.objects.all()) == {running, young}
        assert StreamMessage.objects.get().stream == young

    @pytest.mark.parametrize("label", sorted(KEPT_FOR_EVER))
    def test_leaves_the_books_alone_however_old(self, label: str) -> None:
        row: Model = Specimens().of(apps.get_model(label))
        apply_retention(now=NOW + timedelta(days=36500), is_dry_run=False)
        assert type(row)._default_manager.filter(pk=row.pk).exists()

    def test_command_says_what_would_go(self, capsys: pytest.CaptureFixture[str]) -> None:
        row = ErrorLog.objects.create(error_type="Timeout")
        ErrorLog.objects.update(created_at=timezone.now() - timedelta(days=400))
        call_command("apply_retention", "--dry-run")
        assert "operations.ErrorLog: 1 rows would go" in capsys.readouterr().out
        assert ErrorLog.objects.get() == row

"""How long what is kept. Whatever is not named here is kept for ever."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import Model, QuerySet

from operations.audit import let_go
from operations.models import RequestLog

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of one table go once ``moment`` lies longer ago than ``kept_for``."""

    table: str
    moment: str
    kept_for: timedelta
    only: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    table: str
    before: datetime
    rows: int


AUDIT_KEPT_FOR = timedelta(days=5 * 366)
# Named by text: these tables belong to every floor, and this one stands below them all.
# Orders, their events and trades, positions, ledger and strategies have no line: kept for ever.
RULES = (
    Rule("portfolio.TradingSession", "end_time", timedelta(days=366), {"status": "COMPLETED"}),
    Rule("risk.RiskViolation", "violated_at", timedelta(days=366)),
    Rule("risk.TraderControl", "deactivated_at", timedelta(days=366)),
    Rule("notifications.Notification", "created_at", timedelta(days=30)),
    Rule("operations.Event", "created_at", timedelta(days=7)),
    Rule("accounts.UserSession", "expires_at", timedelta(days=7)),
    Rule("operations.SystemLog", "created_at", timedelta(days=366)),
    Rule("operations.ErrorLog", "created_at", timedelta(days=366)),
    Rule("brokers.BrokerCall", "created_at", timedelta(days=90)),
    Rule("brokers.StreamMessage", "received_at", timedelta(days=30)),
    # After its messages. One that runs or comes back still has another status.
    Rule(
        "brokers.StreamConnection",
        "disconnected_at",
        timedelta(days=30),
        {"status": "DISCONNECTED"},
    ),
    Rule("brokers.PostbackEvent", "received_at", timedelta(days=90)),
    Rule("brokers.RateLimitWindow", "window_start", timedelta(days=7)),
    Rule("brokers.AuthToken", "created_at", timedelta(days=366), {"is_active": False}),
    Rule("brokers.LoginAttempt", "created_at", timedelta(days=366)),
    Rule("market.Tick", "timestamp", timedelta(days=30)),
    Rule("sessions.Session", "expire_date", timedelta(0)),
)


def apply_retention(*, now: datetime, is_dry_run: bool) -> list[Outcome]:
    """Remove what has passed its time, or only count it; return what went from where."""
    outcomes = [_apply(rule, now=now, is_dry_run=is_dry_run) for rule in RULES]
    return [*outcomes, _apply_to_audit(now=now, is_dry_run=is_dry_run)]


def _apply(rule: Rule, *, now: datetime, is_dry_run: bool) -> Outcome:
    before = now - rule.kept_for
    model = apps.get_model(rule.table)
    old = model._default_manager.filter(**{f"{rule.moment}__lt": before}, **rule.only)
    rows = old.count() if is_dry_run else sum(_delete_in_batches(old))
    return Outcome(rule.table, before, rows)


def _apply_to_audit(*, now: datetime, is_dry_run: bool) -> Outcome:
    before = now - AUDIT_KEPT_FOR
    if is_dry_run:
        rows = RequestLog.objects.filter(created_at__lt=before).count()
    else:
        rows = let_go(before=before)
    return Outcome("operations.RequestLog", before, rows)


def _delete_in_batches(old: QuerySet[Model]) -> Iterator[int]:
    # A delete of a month of ticks in one statement would hold everybody else up.
    model = old.model
    while keys := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        model._default_manager.filter(pk__in=keys).delete()
        yield len(keys)

from __future__ import annotations

from datetime import time

from django.db import models

from accounts.models import User
from brokers.terms import Exchange


class ScheduleOverride(models.Model):
    """A day on which an exchange differs from its calendar: a holiday, or special hours.

    Hours are the exchange's local time; a day may have two sessions.
    """

    id = models.BigAutoField(primary_key=True)
    exchange = models.CharField(max_length=10, choices=Exchange.choices)
    day = models.DateField()
    is_open = models.BooleanField()
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
    second_opens_at = models.TimeField(null=True, blank=True)
    second_closes_at = models.TimeField(null=True, blank=True)
    reason = models.CharField(max_length=200)

    class Meta:
        db_table = "schedule_overrides"
        constraints = (
            models.UniqueConstraint(fields=["exchange", "day"], name="uq_schedule_override"),
            models.CheckConstraint(
                condition=models.Q(is_open=False)
                | models.Q(opens_at__isnull=False, closes_at__gt=models.F("opens_at")),
                name="ck_schedule_override_hours",
            ),
            models.CheckConstraint(
                condition=models.Q(second_opens_at=None, second_closes_at=None)
                | models.Q(
                    is_open=True,
                    second_opens_at__gte=models.F("closes_at"),
                    second_closes_at__gt=models.F("second_opens_at"),
                ),
                name="ck_schedule_override_second_session",
            ),
        )

    def __str__(self) -> str:
        return f"{self.exchange} {self.day} {self.reason}"

    @property
    def sessions(self) -> tuple[tuple[time, time], ...]:
        """When trading begins and ends, once or twice; none on a day that is shut."""
        pairs = (
            (self.opens_at, self.closes_at),
            (self.second_opens_at, self.second_closes_at),
        )
        found = [(start, end) for start, end in pairs if start is not None and end is not None]
        return tuple(found) if self.is_open else ()

    @property
    def words(self) -> str:
        """Say what the day is: Closed, or its hours."""
        spans = (f"{start:%H:%M} to {_end_words(end)}" for start, end in self.sessions)
        return " and ".join(spans) or "Closed"


class ScheduleChange(models.Model):
    """Who entered or removed which override, and when; never changed."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    exchange = models.CharField(max_length=10)
    day = models.DateField()
    before = models.CharField(max_length=300, blank=True)
    after = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "schedule_changes"

    def __str__(self) -> str:
        return f"{self.exchange} {self.day} {self.after or 'removed'}"


def _end_words(end: time) -> str:
    return "24:00" if end == time.max else f"{end:%H:%M}"

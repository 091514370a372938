from __future__ import annotations

from datetime import time

from django.db import models

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

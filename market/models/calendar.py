from __future__ import annotations

from django.db import models

from brokers.terms import Exchange


class ScheduleOverride(models.Model):
    """A day on which an exchange differs from its calendar: a holiday, or special hours (IST)."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.CharField(max_length=10, choices=Exchange.choices)
    day = models.DateField()
    is_open = models.BooleanField()
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
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
        )

    def __str__(self) -> str:
        return f"{self.exchange} {self.day} {self.reason}"

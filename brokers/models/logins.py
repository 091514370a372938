from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models.connections import BrokerConnection
from operations.ids import new_id
from operations.secrets import seal, unseal


class LoginStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    AT_BROKER = "at_broker"
    DONE = "done"
    FAILED = "failed"


# What is under way; a connection has at most one such attempt.
OPEN_LOGINS = (LoginStatus.QUEUED, LoginStatus.RUNNING, LoginStatus.AT_BROKER)


class LoginAttempt(models.Model):
    """One login at a broker, from the press of a button to what became of it.

    A worker does it, because only there are the brokers' libraries loaded. ``by`` is empty where
    the house logs in by itself. ``answer`` is what a person or the broker's page brought.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.CASCADE, related_name="login_attempts"
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    status = models.CharField(
        max_length=10, choices=LoginStatus.choices, default=LoginStatus.QUEUED
    )
    answer = models.TextField(blank=True, help_text="Sealed; never shown")
    page = models.TextField(blank=True, help_text="Where the person signs in")
    words = models.TextField(blank=True)
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        db_table = "broker_logins"
        indexes = (models.Index(fields=["connection", "-created_at"], name="ix_login_newest"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=LoginStatus.values), name="ck_login_status"
            ),
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(status__in=OPEN_LOGINS),
                name="uq_one_open_login",
            ),
        )

    def __str__(self) -> str:
        return f"{self.connection} {self.status}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_LOGINS

    def seal_answer(self, answer: dict[str, str]) -> None:
        self.answer = seal(answer, row=f"broker_logins:{self.pk}") if answer else ""

    def read_answer(self) -> dict[str, str]:
        """:raises SecretUnreadable: when no key fits or the row's secret was moved here."""
        return unseal(self.answer, row=f"broker_logins:{self.pk}") if self.answer else {}

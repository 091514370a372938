from __future__ import annotations

from django.db import models

from accounts.models import User, Workspace, WorkspaceOwnedQuerySet
from brokers.endpoints import is_simulated
from brokers.registry import broker_choices
from brokers.standing import BY_STATUS, Facts, Standing, standing_by
from operations.fields import MoneyField
from operations.ids import new_id
from operations.secrets import seal, unseal


class ConnectionStatus(models.TextChoices):
    CONNECTED = "connected"
    EXPIRED = "expired"
    ERROR = "error"
    DISCONNECTED = "disconnected"


class BrokerConnection(models.Model):
    """The way to a broker: whose login it is, and its sealed credentials."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="broker_connections"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="broker_connections")
    broker_type = models.CharField(max_length=20, choices=broker_choices)
    alias = models.CharField(max_length=50)
    client_code = models.CharField(max_length=50, blank=True)
    credentials = models.TextField(blank=True, help_text="Sealed; never shown")
    paper_trading = models.BooleanField(default=True)
    status = models.CharField(
        max_length=15, choices=ConnectionStatus.choices, default=ConnectionStatus.DISCONNECTED
    )
    connection_metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceOwnedQuerySet["BrokerConnection"].as_manager()

    class Meta:
        db_table = "user_broker_connections"
        constraints = (
            models.UniqueConstraint(fields=["user", "alias"], name="uq_connection_alias"),
            models.CheckConstraint(
                condition=models.Q(status__in=ConnectionStatus.values),
                name="ck_connection_status",
            ),
        )

    def __str__(self) -> str:
        return self.alias

    @property
    def is_simulated(self) -> bool:
        """Whether this server was told to call a simulator in the broker's place."""
        return is_simulated(self.broker_type)

    @property
    def standing(self) -> Standing | None:
        """Why nothing reaches the broker; None while it does."""
        return BY_STATUS.get(self.status)

    def seal_credentials(self, credentials: dict[str, str]) -> None:
        self.credentials = seal(credentials, row=f"user_broker_connections:{self.pk}")

    def read_credentials(self) -> dict[str, str]:
        """:raises SecretUnreadable: when no key fits or the row's secret was moved here."""
        return unseal(self.credentials, row=f"user_broker_connections:{self.pk}")


class AuthToken(models.Model):
    """One broker session. The newest active one is used; old ones tell when each login was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.CASCADE, related_name="auth_tokens"
    )
    access_token = models.TextField(blank=True, help_text="Sealed; never shown")
    refresh_token = models.TextField(blank=True, help_text="Sealed; never shown")
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "auth_tokens"
        constraints = (
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(is_active=True),
                name="uq_one_active_token",
            ),
        )

    def __str__(self) -> str:
        return f"{self.connection} until {self.expires_at}"


class AccountType(models.TextChoices):
    """Its part in copy trading."""

    INDIVIDUAL = "individual"
    LEADER = "leader"
    FOLLOWER = "follower"


class TradingAccount(models.Model):
    """A trading account at a broker. Orders, positions and money belong to it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="accounts")
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.PROTECT, related_name="accounts"
    )
    name = models.CharField(max_length=60)
    account_type = models.CharField(
        max_length=10, choices=AccountType.choices, default=AccountType.INDIVIDUAL
    )
    margin = MoneyField(default=0, help_text="Free margin as the broker last told it")
    currency = models.CharField(max_length=3, default="INR")
    is_active = models.BooleanField(default=True)
    live_enabled = models.BooleanField(
        default=False, help_text="Real money: a person has turned it on for this account"
    )
    own_clock = models.BooleanField(
        default=False, help_text="A replay lives on its own clock: timed jobs leave it alone"
    )
    reconciled_at = models.DateTimeField(
        null=True, blank=True, help_text="Entries wait until the account has been reconciled"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceOwnedQuerySet["TradingAccount"].as_manager()

    class Meta:
        db_table = "accounts"
        constraints = (
            models.UniqueConstraint(fields=["workspace", "name"], name="uq_account_name"),
            models.CheckConstraint(
                condition=models.Q(account_type__in=AccountType.values), name="ck_account_type"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_paper(self) -> bool:
        return self.connection.paper_trading

    @property
    def may_send(self) -> bool:
        """Tell whether orders may leave for this account: active, and live only when turned on."""
        return self.is_active and (self.is_paper or self.live_enabled)

    @property
    def standing(self) -> Standing:
        """What may be sent for it now, and why; what differs counts where a query has told it."""
        return standing_by(
            Facts(
                is_replay=self.own_clock,
                status=self.connection.status,
                differing=getattr(self, "differing", 0) + getattr(self, "unreadable", 0),
                is_compared=self.reconciled_at is not None,
                may_send=self.may_send,
            )
        )

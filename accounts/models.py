from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Self, TypeVar

from django.contrib.auth.models import AbstractUser
from django.db import models

from accounts.hashers import with_algorithm
from operations.ids import new_id


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    TRADER = "trader"
    VIEWER = "viewer"


TRADING_ROLES = (Role.OWNER, Role.ADMIN, Role.TRADER)
MANAGING_ROLES = (Role.OWNER, Role.ADMIN)


class UserStatus(models.TextChoices):
    ACTIVE = "active"
    INACTIVE = "inactive"
    BLOCKED = "blocked"


class RiskTolerance(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class User(AbstractUser):
    """A person. What a person may do is decided per workspace, by membership."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=100, unique=True)
    phone = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=10, choices=UserStatus.choices, default=UserStatus.ACTIVE)
    access_until = models.DateTimeField(
        null=True, blank=True, help_text="After this moment the user can no longer sign in or act"
    )
    total_capital = models.DecimalField(
        max_digits=15, decimal_places=2, default=Decimal("100000.00")
    )
    risk_tolerance = models.CharField(
        max_length=20, choices=RiskTolerance.choices, default=RiskTolerance.MEDIUM
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "users"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status__in=UserStatus.values), name="ck_users_status"
            ),
            models.CheckConstraint(
                condition=models.Q(total_capital__gte=0), name="ck_users_capital_not_negative"
            ),
        )

    def __str__(self) -> str:
        return self.username

    @property
    def name(self) -> str:
        return self.get_full_name() or self.username

    def check_password(self, raw_password: str | None) -> bool:
        self.password = with_algorithm(self.password)
        return super().check_password(raw_password)

    def can_act(self, now: datetime) -> bool:
        """Tell whether the person is neither blocked, inactive nor past their access date."""
        if not self.is_active or self.status != UserStatus.ACTIVE:
            return False
        return self.access_until is None or now < self.access_until


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def visible_to(self, user: User) -> WorkspaceQuerySet:
        return self.filter(memberships__user=user)


class Workspace(models.Model):
    """A desk: the wall between one group's accounts, orders and rules and another's."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_workspaces")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        db_table = "workspaces"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "memberships"
        constraints = (
            models.UniqueConstraint(fields=["workspace", "user"], name="uq_membership"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="ck_membership_role"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.workspace}"


M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class WorkspaceOwnedQuerySet(models.QuerySet[M_co]):
    """For every table with a ``workspace`` key: what a person may see, trade and manage."""

    def visible_to(self, user: User) -> Self:
        return self.filter(workspace__in=_workspaces(user, Role.values))

    def tradable_by(self, user: User) -> Self:
        return self.filter(workspace__in=_workspaces(user, TRADING_ROLES))

    def manageable_by(self, user: User) -> Self:
        return self.filter(workspace__in=_workspaces(user, MANAGING_ROLES))


def _workspaces(user: User, roles: Iterable[str]) -> models.QuerySet[Membership, uuid.UUID]:
    memberships = Membership.objects.filter(user=user, role__in=roles)
    return memberships.values_list("workspace", flat=True)


class ApiKey(models.Model):
    """A key for programs. Only its digest is kept; the prefix finds the row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8, db_index=True)
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    allowed_ips = models.JSONField(default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "api_keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class UserSession(models.Model):
    """A sign-in on one device. The session's key is kept as a digest only."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="user_sessions")
    session_key_hash = models.CharField(max_length=64, unique=True)
    client_ip = models.GenericIPAddressField(null=True, blank=True)
    session_data = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "user_sessions"

    def __str__(self) -> str:
        return f"{self.user} from {self.client_ip}"


class Plan(models.TextChoices):
    TRIAL = "trial"
    MONTHLY = "monthly"
    YEARLY = "yearly"


class SubscriptionStatus(models.TextChoices):
    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Subscription(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="subscriptions")
    plan = models.CharField(max_length=10, choices=Plan.choices)
    start_date = models.DateField()
    end_date = models.DateField()
    status = models.CharField(
        max_length=10, choices=SubscriptionStatus.choices, default=SubscriptionStatus.ACTIVE
    )
    payment_ref = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "subscriptions"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(end_date__gte=models.F("start_date")),
                name="ck_subscription_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(plan__in=Plan.values), name="ck_subscription_plan"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.plan} to {self.end_date}"

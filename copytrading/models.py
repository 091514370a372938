from __future__ import annotations

from django.db import models

from accounts.models import Workspace, WorkspaceOwnedQuerySet
from brokers.models import TradingAccount
from operations.fields import MoneyField
from operations.ids import new_id
from orders.models import Order


class SizingStrategy(models.TextChoices):
    SAME = "same", "Same quantity"
    RATIO = "ratio", "A ratio of the leader's"
    CAPITAL = "capital", "In proportion to capital"
    FIXED = "fixed", "Fixed quantity"


class CopyLink(models.Model):
    """That one account follows another, and in what size."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="copy_links")
    leader = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="followers")
    follower = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="leaders")
    sizing_strategy = models.CharField(
        max_length=10, choices=SizingStrategy.choices, default=SizingStrategy.SAME
    )
    sizing_value = MoneyField(default=1)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceOwnedQuerySet["CopyLink"].as_manager()

    class Meta:
        db_table = "copy_links"
        constraints = (
            models.UniqueConstraint(fields=["leader", "follower"], name="uq_copy_link"),
            models.CheckConstraint(
                condition=~models.Q(leader=models.F("follower")), name="ck_copy_not_oneself"
            ),
        )

    def __str__(self) -> str:
        return f"{self.follower} follows {self.leader}"


class CopyStatus(models.TextChoices):
    PENDING = "pending"
    PLACED = "placed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CopyMapping(models.Model):
    """What one leader's order became for one follower."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link = models.ForeignKey(CopyLink, on_delete=models.PROTECT, related_name="mappings")
    leader_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="copies")
    follower_order = models.OneToOneField(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="copied_from"
    )
    leader_quantity = models.PositiveBigIntegerField()
    follower_quantity = models.PositiveBigIntegerField(default=0)
    sizing_strategy = models.CharField(max_length=10, choices=SizingStrategy.choices)
    status = models.CharField(max_length=10, choices=CopyStatus.choices, default=CopyStatus.PENDING)
    error_message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "copy_mappings"
        constraints = (
            models.UniqueConstraint(fields=["link", "leader_order"], name="uq_copy_mapping"),
        )

    def __str__(self) -> str:
        return f"{self.leader_order_id} {self.status}"

from __future__ import annotations

from django.db import models

from orders.models.orders import Order


class MissingOrderQuerySet(models.QuerySet["MissingOrder"]):
    def told(self) -> MissingOrderQuerySet:
        """Missing for good, as far as anybody can tell: its owner has been told."""
        return self.exclude(told_at=None)


class MissingOrder(models.Model):
    """A working order that its broker's book has not listed lately; it may be live all the same.

    The row goes once the order is listed again, or has ended.
    """

    order = models.OneToOneField(
        Order, on_delete=models.CASCADE, primary_key=True, related_name="missing"
    )
    since = models.DateTimeField(help_text="The first reading of the book without it")
    readings = models.PositiveIntegerField(default=1)
    told_at = models.DateTimeField(null=True, blank=True)

    objects = MissingOrderQuerySet.as_manager()

    class Meta:
        db_table = "missing_orders"

    def __str__(self) -> str:
        return f"{self.order_id} since {self.since:%H:%M}"

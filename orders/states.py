"""The states of an order, and which of them mean what."""

from django.db import models


class OrderStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"
    SUBMITTING = "SUBMITTING", "Submitting"
    PLACED = "PLACED", "Placed"
    QUEUED_AMO = "QUEUED_AMO", "Queued for the open"
    OPEN = "OPEN", "Open"
    TRIGGER_PENDING = "TRIGGER_PENDING", "Waiting for trigger"
    PARTIALLY_FILLED = "PARTIALLY_FILLED", "Partly filled"
    MODIFY_PENDING = "MODIFY_PENDING", "Changing"
    CANCEL_PENDING = "CANCEL_PENDING", "Cancelling"
    UNKNOWN = "UNKNOWN", "Unknown"
    FILLED = "FILLED", "Filled"
    CANCELLED = "CANCELLED", "Cancelled"
    REJECTED = "REJECTED", "Refused by the broker"
    EXPIRED = "EXPIRED", "Expired"
    DENIED = "DENIED", "Refused by risk"

    @property
    def is_final(self) -> bool:
        return self in FINAL

    @property
    def is_working(self) -> bool:
        return self in WORKING


S = OrderStatus
FINAL = frozenset({S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.DENIED})
# At the broker, as far as we know, and able to fill.
WORKING = frozenset(
    {
        S.PLACED,
        S.QUEUED_AMO,
        S.OPEN,
        S.TRIGGER_PENDING,
        S.PARTIALLY_FILLED,
        S.MODIFY_PENDING,
        S.CANCEL_PENDING,
    }
)
# A person or a rule may still ask for their end.
CANCELLABLE = WORKING - {S.CANCEL_PENDING} | {S.PENDING}
# May fill or become able to: everything that is not final.
ALIVE = frozenset(S) - FINAL

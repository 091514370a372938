"""Leases: at most one process does a thing, and another takes over when it dies."""

from datetime import datetime, timedelta

from django.db.models import F

from operations.models import Lease


class LeaseHeld(Exception):
    """Another process holds the lease and has renewed it lately."""


class LeaseLost(Exception):
    """The lease ran out and somebody else has taken it: stop at once."""


def claim_lease(name: str, *, holder: str, length: timedelta, now: datetime) -> int:
    """Take a lease that nobody holds any more; return the token that renews it.

    :raises LeaseHeld: while another holder's lease has not run out.
    """
    Lease.objects.get_or_create(name=name, defaults={"holder": "", "expires_at": now})
    free = Lease.objects.filter(name=name, expires_at__lte=now)
    if not free.update(holder=holder, token=F("token") + 1, expires_at=now + length):
        lease = Lease.objects.get(name=name)
        raise LeaseHeld(
            f"{lease.holder} holds the lease “{name}” until {lease.expires_at:%H:%M:%S}"
        )
    return Lease.objects.values_list("token", flat=True).get(name=name)


def renew_lease(name: str, *, token: int, length: timedelta, now: datetime) -> None:
    """Keep a lease for another while.

    :raises LeaseLost: when it ran out and another took it.
    """
    if not Lease.objects.filter(name=name, token=token).update(expires_at=now + length):
        raise LeaseLost(f"The lease “{name}” has another holder")


def release_lease(name: str, *, token: int, now: datetime) -> None:
    """Give a lease back, so that the next process need not wait."""
    Lease.objects.filter(name=name, token=token).update(expires_at=now)

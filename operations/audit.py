"""The request log is a chain: every row's hash covers its content and the hash before it."""

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal

from django.db import transaction

from operations.models import AuditChain, RequestLog

MILLISECOND = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Deed:
    """One request that changed something, or tried to."""

    event_type: str
    request_id: uuid.UUID
    client_ip: str | None
    user_agent: str
    path: str
    method: str
    user_id: uuid.UUID | None
    status_code: int
    processing_time_ms: Decimal
    success: bool
    error_message: str
    created_at: datetime


class AuditBroken(Exception):
    """The chain does not hold. ``row_id`` names the first bad row; none when the end is missing."""

    def __init__(self, message: str, *, row_id: int | None) -> None:
        super().__init__(message)
        self.row_id = row_id


@transaction.atomic
def append(deed: Deed) -> RequestLog:
    """Write a deed at the end of the chain; writers take turns on the chain's one row."""
    chain = _locked_chain()
    row = RequestLog(
        **{
            **asdict(deed),
            "processing_time_ms": deed.processing_time_ms.quantize(MILLISECOND),
            "previous_hash": chain.last_hash,
        }
    )
    row.row_hash = hash_of(row)
    row.save(force_insert=True)
    chain.last_hash = row.row_hash
    chain.save(update_fields=["last_hash"])
    return row


def hash_of(row: RequestLog) -> str:
    """Return SHA-256 of the previous hash and the row's content as canonical JSON."""
    content = {field.name: _canonical(getattr(row, field.name)) for field in fields(Deed)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((row.previous_hash + text).encode()).hexdigest()


def verify(*, anchor: str | None = None) -> int:
    """Walk the whole chain and return how many rows it has.

    ``anchor`` is the hash of an end of the chain that was noted outside the database; it must
    still be in it, which a chain rewritten as a whole does not survive.

    :raises AuditBroken: naming the first row that was changed, removed before, or reordered.
    """
    chain = AuditChain.objects.first() or AuditChain()
    previous, count, is_anchored = chain.first_hash, 0, anchor in (None, chain.first_hash)
    for row in _rows():
        if row.previous_hash != previous:
            raise AuditBroken(f"Row {row.pk} does not follow the row before it", row_id=row.pk)
        if row.row_hash != hash_of(row):
            raise AuditBroken(f"Row {row.pk} was changed", row_id=row.pk)
        previous, count = row.row_hash, count + 1
        is_anchored = is_anchored or previous == anchor
    if previous != chain.last_hash:
        raise AuditBroken("Rows are missing at the end", row_id=None)
    if not is_anchored:
        raise AuditBroken("The anchor is not in the chain", row_id=None)
    return count


def last_hash() -> str:
    """Return the end of the chain, to be noted somewhere outside the database."""
    chain = AuditChain.objects.first()
    return chain.last_hash if chain else ""


@transaction.atomic
def let_go(*, before: datetime) -> int:
    """Remove the oldest stretch of rows, all written before; the rest still verifies."""
    chain = _locked_chain()
    kept = RequestLog.objects.filter(created_at__gte=before).order_by("pk").first()
    old = RequestLog.objects.filter(created_at__lt=before)
    old = old.filter(pk__lt=kept.pk) if kept else old
    newest = old.order_by("-pk").first()
    if newest is None:
        return 0
    chain.first_hash = newest.row_hash
    chain.save(update_fields=["first_hash"])
    return old.delete()[0]


def _rows() -> Iterator[RequestLog]:
    return RequestLog.objects.order_by("pk").iterator(chunk_size=2000)


def _locked_chain() -> AuditChain:
    AuditChain.objects.get_or_create(pk=1)
    return AuditChain.objects.select_for_update().get(pk=1)


def _canonical(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)

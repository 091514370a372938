"""What people and workers do with market data: import a file, record a split."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts.models import User, Workspace
from accounts.permissions import require_operator
from market.importing import kinds
from market.importing.detecting import detect_kind
from market.importing.files import Upload, discard, keep, open_kept, shown_name
from market.importing.progress import Clock
from market.importing.rows import FileRefused
from market.importing.running import fail_abandoned_imports, run_import
from market.models import (
    CorporateAction,
    CorporateActionKind,
    ImportKind,
    ImportRun,
    ImportStatus,
    Instrument,
)
from operations.events import publish

__all__ = [
    "ActionRefused",
    "FileRefused",
    "detect_kind",
    "enqueue",
    "fail_abandoned_imports",
    "record_corporate_action",
    "run_import",
    "run_queued_imports",
    "start_import",
]

logger = logging.getLogger(__name__)

_HEAD = 64 * 1024
_OPTIONS = frozenset(field.name for field in fields(kinds.Options))


class ActionRefused(Exception):
    """The corporate action cannot be; the message says why."""


@dataclass(frozen=True, slots=True)
class Starter:
    """Who imports, and for which workspace; both empty for the operator's own commands."""

    workspace: Workspace | None = None
    user: User | None = None


def start_import(
    file: Upload,
    *,
    kind: ImportKind | None,
    by: Starter,
    now: datetime,
    options: Mapping[str, object] | None = None,
) -> ImportRun:
    """Keep a file and queue its import; without a kind it is told by the file's beginning.

    ``options`` may hold ``symbol``, ``interval``, ``zone``, ``day``, ``columns``, ``dates`` and
    ``accepted``
    (see market.importing.kinds.Options).

    :raises FileRefused: when it is too large, empty, not text, or of no known kind.
    :raises PermissionDenied: when a person asks who does not run the house.
    """
    if by.user is not None:
        require_operator(by.user)
    run = ImportRun(
        workspace=by.workspace,
        started_by=by.user,
        file_name=shown_name(file.name),
        options={name: value for name, value in (options or {}).items() if name in _OPTIONS},
        status=ImportStatus.QUEUED,
        started_at=now,
    )
    kept = keep(file, run)
    run.file_size, run.file_hash = kept.size, kept.digest
    run.kind = kind or _detected(run)
    with transaction.atomic():
        run.save(force_insert=True)
        publish("imports", workspace_id=run.workspace_id, subject_id=run.pk, now=now)
        if by.workspace is not None:  # A command runs what it started itself.
            transaction.on_commit(lambda: enqueue(run))
    return run


def run_queued_imports(*, clock: Clock) -> int:
    """Run every import that waits, oldest first, and return how many."""
    waiting = ImportRun.objects.filter(status=ImportStatus.QUEUED).order_by("started_at")
    runs = list(waiting.values_list("pk", flat=True))
    for run_id in runs:
        run_import(run_id, clock=clock)
    return len(runs)


def record_corporate_action(
    instrument: Instrument,
    *,
    kind: CorporateActionKind,
    ex_date: date,
    factor: Decimal = Decimal(1),
    note: str = "",
) -> CorporateAction:
    """Record that from ``ex_date`` one old share is ``factor`` new ones; again to correct it.

    :raises ActionRefused: when the factor is not above zero, or a split that changes nothing.
    """
    if not factor.is_finite() or factor <= 0:
        raise ActionRefused("The factor is how many new shares one old share becomes: above zero")
    if factor == 1 and kind in (CorporateActionKind.SPLIT, CorporateActionKind.BONUS):
        raise ActionRefused("A split or bonus with the factor 1 changes nothing")
    booked = CorporateAction.objects.filter(
        instrument=instrument, ex_date=ex_date, kind=kind, booked_at__isnull=False
    )
    if booked.exclude(factor=factor).exists():
        raise ActionRefused("It has reached the books of its holders: its factor stays")
    action, _ = CorporateAction.objects.update_or_create(
        instrument=instrument,
        ex_date=ex_date,
        kind=kind,
        defaults={"factor": factor, "note": note},
    )
    return action


def _detected(run: ImportRun) -> ImportKind:
    try:
        with open_kept(run) as stored:
            return detect_kind(stored.read(_HEAD))
    except FileRefused:
        discard(run)
        raise


def enqueue(run: ImportRun) -> None:
    """Wake a worker up; a lost message is made good by the sweep."""
    try:
        current_app.send_task(
            "market.tasks.run_import", kwargs={"run_id": str(run.pk)}, retry=False
        )
    except OperationalError:
        logger.warning("message of import %s lost, the sweep will find it", run.pk)

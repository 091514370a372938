"""What a person decides about an import that was read: an answer, a delisting, or its undo."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from accounts.permissions import require_operator
from market.freshness import latest_list
from market.importing.files import discard
from market.importing.losses import delist
from market.importing.undoing import UndoRefused, undo
from market.models import ImportRun, ImportStatus
from market.services import enqueue
from operations.events import publish

# An answer that nobody gave in so long is not given any more; the file takes room.
_ANSWER_WITHIN = timedelta(days=7)


__all__ = [
    "AnswerRefused",
    "UndoRefused",
    "answer_import",
    "can_undo",
    "cancel_import",
    "delist_missing",
    "give_up_asking",
    "give_up_unanswered",
    "undo_import",
]


class AnswerRefused(Exception):
    """The import does not ask that, or no longer; the message says so."""


def answer_import(run: ImportRun, *, choice: str, by: User, now: datetime) -> None:
    """Read a file again that asked, with the answer; nothing of it was stored before.

    :raises AnswerRefused: when it does not ask, or the choice is none of those it gave.
    :raises PermissionDenied: when the person does not run the installation.
    """
    require_operator(by)
    question = run.question or {}
    if choice not in {value for value, _ in question.get("choices", ())}:
        raise AnswerRefused("Choose one of the answers")
    with transaction.atomic():
        _leave(run, ImportStatus.QUEUED, now=now, options=_answered(run, question, choice))
        transaction.on_commit(lambda: enqueue(run))


def cancel_import(run: ImportRun, *, by: User, now: datetime) -> None:
    """Give up a file that asked.

    :raises AnswerRefused: when it does not ask.
    :raises PermissionDenied: when the person does not run the installation.
    """
    require_operator(by)
    _give_up(run, f"Cancelled by {by.name}; nothing of it was stored", now=now)


def delist_missing(run: ImportRun, *, by: User, now: datetime) -> int:
    """Take off the list what the run's list lacked, and return how many instruments.

    :raises AnswerRefused: when a later list of the broker has been imported, or none is missing.
    :raises PermissionDenied: when the person does not run the installation.
    """
    require_operator(by)
    if latest_list(run.kind) != run:
        raise AnswerRefused("A later list has been imported: decide by that one")
    if not run.missing.exists():
        raise AnswerRefused("Nothing is missing from this list any more")
    with transaction.atomic():
        delisted = delist(run, now=now)
        publish("imports", workspace_id=run.workspace_id, subject_id=run.pk, now=now)
    return delisted


def undo_import(run: ImportRun, *, by: User, now: datetime) -> None:
    """Put back exactly what an import changed.

    :raises UndoRefused: when it cannot be, or later data depends on it.
    :raises PermissionDenied: when the person does not run the installation.
    """
    require_operator(by)
    undo(run, now=now)


def can_undo(run: ImportRun) -> bool:
    """Tell whether what the import changed was kept; whether it can go back is seen by trying."""
    return run.status == ImportStatus.COMPLETED and run.undo_parts.exists()


def give_up_asking(run: ImportRun, *, now: datetime) -> None:
    """Let a file go that asked, as a command does: it is read again with the answer.

    :raises AnswerRefused: when it does not ask.
    """
    _give_up(run, f"{run.error_message}. Nothing was stored", now=now)


def give_up_unanswered(*, now: datetime, kind: str = "", within: timedelta = _ANSWER_WITHIN) -> int:
    """Give up the files whose question nobody answered in time, and return how many."""
    asking = ImportRun.objects.filter(
        status=ImportStatus.ASKING,
        progress_at__lte=now - within,
        **({"kind": kind} if kind else {}),
    )
    runs = list(asking)
    for run in runs:
        give_up_asking(run, now=now)
    return len(runs)


def _answered(run: ImportRun, question: Mapping[str, str], choice: str) -> dict[str, object]:
    code = question["code"]
    if code == choice:
        return {**run.options, "accepted": [*run.options.get("accepted", ()), code]}
    return {**run.options, code: choice}


def _give_up(run: ImportRun, words: str, *, now: datetime) -> None:
    with transaction.atomic():
        _leave(run, ImportStatus.FAILED, now=now, error_message=words, finished_at=now)
    discard(run)


def _leave(run: ImportRun, status: ImportStatus, *, now: datetime, **fields: object) -> None:
    """:raises AnswerRefused: when somebody else was faster."""
    asking = ImportRun.objects.filter(pk=run.pk, status=ImportStatus.ASKING)
    changes = {"error_message": "", "question": None, **fields}
    if not asking.update(status=status, progress_at=now, **changes):
        raise AnswerRefused("This import does not wait for an answer any more")
    publish("imports", workspace_id=run.workspace_id, subject_id=run.pk, now=now)

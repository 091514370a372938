"""Run one import from start to end: parse all of it, then write all of it in one transaction.

Parsing takes the time and holds no lock; what it yields waits in a temporary table (masters) or in
a temporary file (prices), so that a run killed at any moment leaves nothing behind.
"""

import logging
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from market.importing.candles import write_prices
from market.importing.checking import PriceChecks
from market.importing.doubts import Doubts
from market.importing.files import discard, open_kept
from market.importing.kinds import MASTERS, Options, master_rows, price_rows
from market.importing.losses import LOSSES, Edition
from market.importing.lots import with_lots
from market.importing.masters import Written, stage_master, write_staged
from market.importing.progress import Clock, Listener, Progress
from market.importing.reading import open_source
from market.importing.rows import (
    FileRefused,
    Listed,
    NeedsAnswer,
    Priced,
    Question,
    RowRefused,
    Rows,
    storable,
)
from market.importing.spool import Spool
from market.models import ImportKind, ImportRun, ImportStatus
from market.schedules import IST
from operations.events import publish

logger = logging.getLogger(__name__)

# A run that gives no sign of life for so long is dead: the longest write takes seconds.
ABANDONED_AFTER = timedelta(minutes=10)

# So many new instruments an import names; a bhavcopy may bring thousands.
MADE_NAMED = 20


def run_import(run_id: uuid.UUID, *, clock: Clock, listener: Listener | None = None) -> ImportRun:
    """Import a queued file. Safe to ask for twice: only one caller gets the run.

    ``listener`` is told of the progress about once a second.
    """
    now = clock()
    claimed = ImportRun.objects.filter(pk=run_id, status=ImportStatus.QUEUED).update(
        status=ImportStatus.RUNNING, progress_at=now
    )
    run = ImportRun.objects.get(pk=run_id)
    if not claimed:
        return run
    _tell(run, now=now)
    try:
        with open_kept(run) as file:
            source = open_source(file, name=run.file_name)
            _import(run, Progress(run.pk, source, clock=clock, listener=listener), clock=clock)
    except NeedsAnswer as needed:
        _ask(run, needed.question, now=clock())
        run.refresh_from_db()
        return run
    except (FileRefused, RowRefused) as refusal:
        _fail(run, str(refusal), now=clock())
    except DatabaseError:
        logger.exception("import %s could not be written", run.pk)
        _fail(run, "The database refused the rows; nothing was kept", now=clock())
    discard(run)
    run.refresh_from_db()
    return run


def fail_abandoned_imports(
    *, now: datetime, quiet_for: timedelta = ABANDONED_AFTER
) -> list[ImportRun]:
    """Mark as failed the runs whose worker died. Nothing of theirs was written."""
    dead = list(
        ImportRun.objects.filter(status=ImportStatus.RUNNING, progress_at__lt=now - quiet_for)
    )
    for run in dead:
        _fail(run, "The import was interrupted and nothing of it was kept: start it again", now=now)
        discard(run)
    return dead


def _import(run: ImportRun, progress: Progress, *, clock: Clock) -> None:
    if ImportKind(run.kind) in MASTERS:
        _import_list(run, progress, clock=clock)
    else:
        _import_prices(run, progress, clock=clock)


def _import_list(run: ImportRun, progress: Progress, *, clock: Clock) -> None:
    listed = master_rows(progress.source, ImportKind(run.kind))
    staged = stage_master(with_lots(_unrepeated(progress, listed), progress))
    with transaction.atomic():
        written = _write_master(run, progress, staged=staged, now=clock())
        _complete(run, progress, written, now=clock())


def _import_prices(run: ImportRun, progress: Progress, *, clock: Clock) -> None:
    checks, doubts = PriceChecks(now=run.started_at), Doubts()
    with Spool() as spool:
        rows = price_rows(progress.source, ImportKind(run.kind), Options(**run.options))
        for priced in progress.good_rows(rows):
            try:
                spool.add(checks.checked(priced, line=rows.line))
            except RowRefused as refusal:
                progress.skip(rows.refused(refusal))
        with transaction.atomic():
            agreeing = _agreeing(spool, checks, progress)
            written = write_prices(run, agreeing, doubts=doubts, now=clock())
            progress.source.notes += [*checks.notes(), *doubts.notes()]
            _complete(run, progress, written, now=clock())


def _agreeing(spool: Spool, checks: PriceChecks, progress: Progress) -> Iterator[Priced]:
    for priced in spool.items():
        skipped = checks.contradicted(priced)
        if skipped is None:
            yield priced
        else:
            progress.skip(skipped)


def _write_master(run: ImportRun, progress: Progress, *, staged: int, now: datetime) -> Written:
    """:raises FileRefused: when there is nothing in the list, or too little of the last one."""
    if not staged:
        raise FileRefused(_nothing_read(progress))
    is_whole = bool(run.options.get("is_whole"))
    edition = Edition(
        broker_type=MASTERS[ImportKind(run.kind)][0],
        day=now.astimezone(IST).date(),
        is_whole=is_whole,
        accept_loss=LOSSES in run.options.get("accepted", ()),
        can_undo=not is_whole,
    )
    return write_staged(edition, run=run, staged=staged, now=now)


def _unrepeated(progress: Progress, rows: Rows[Listed]) -> Iterator[Listed]:
    """Leave out a row that claims the instrument or the broker's number of an earlier one."""
    seen: dict[object, int] = {}
    for row in progress.good_rows(rows):
        token, identity = (row.token_exchange, row.token), (row.key, row.instrument_type)
        earlier = seen.get(identity) or seen.get(token)
        if earlier:
            what = row.key if identity in seen else f"the number {row.token}"
            words = f"Line {earlier} of this list is {what} already: one of the two is wrong"
            progress.skip(rows.refused(RowRefused(words)))
            continue
        seen[identity] = seen[token] = rows.line
        # An index and a share of one name are two things, and need two keys.
        is_taken = seen.setdefault(row.key, rows.line) != rows.line
        yield row._replace(key=f"{row.key}@{row.instrument_type}") if is_taken else row


def _complete(run: ImportRun, progress: Progress, written: Written, *, now: datetime) -> None:
    if progress.rows_read == progress.rows_skipped:
        raise FileRefused(_nothing_read(progress))
    progress.keep_issues()
    ImportRun.objects.filter(pk=run.pk).update(
        status=ImportStatus.COMPLETED,
        options={**run.options, "made": list(written.made[:MADE_NAMED])},
        notes=progress.source.notes,
        bytes_read=run.file_size,
        rows_read=progress.rows_read,
        rows_written=written.changed,
        rows_unchanged=written.unchanged,
        rows_skipped=progress.rows_skipped,
        rows_outside={day.isoformat(): count for day, count in sorted(progress.outside.items())},
        progress_at=now,
        finished_at=now,
    )
    _tell(run, now=now)


def _nothing_read(progress: Progress) -> str:
    if not progress.issues:
        return "The file has no rows"
    first = progress.issues[0]
    return f"No row could be read; line {first.line}: {first.reason}"


def _ask(run: ImportRun, question: Question, *, now: datetime) -> None:
    """Keep the file and what is to be answered; nothing of it is stored."""
    with transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(
            status=ImportStatus.ASKING,
            question=asdict(question),
            error_message=question.words,
            progress_at=now,
        )
        _tell(run, now=now)


def _fail(run: ImportRun, words: str, *, now: datetime) -> None:
    with transaction.atomic():
        ImportRun.objects.filter(pk=run.pk).update(
            status=ImportStatus.FAILED,
            error_message=storable(words),
            finished_at=now,
            rows_written=0,
        )
        _tell(run, now=now)


def _tell(run: ImportRun, *, now: datetime) -> None:
    publish("imports", workspace_id=run.workspace_id, subject_id=run.pk, now=now)

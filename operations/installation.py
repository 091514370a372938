"""Is this the database that traded last, or a copy of it, or one that has gone back in time?

A copy believes in orders and positions that another installation has moved on from; one restored
over itself in those that it has forgotten since. Two things tell:

* Where it lies. The row says in which database it was written: PostgreSQL's own identifier of its
  cluster, the timeline and the database's number; for SQLite the file's number on its disk. A dump
  restored into a new database, here or elsewhere, a recovery to an earlier point, and a copied file
  lie somewhere else.
* A pulse. A number grows in the row with time and with every order sent for real money, and is then
  written to a file outside. One restored in place is behind the file.
"""

import json
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import F, Model

from operations.logs import record_log
from operations.models import Installation, LogType, Severity

logger = structlog.get_logger(__name__)
_ELSEWHERE = "This database was copied, or restored from a backup: it lies elsewhere than before"
_BACK = "This database was restored from a backup: it knows less than it did"
_KNOWN, _KNOWN_FOR = "installation:doubt", 10


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why this database is not trusted, and since when; ``since`` is None until it is written."""

    words: str
    since: datetime | None


class NothingToConfirm(Exception):
    """The database is the one that traded last."""


def doubt_now() -> Doubt | None:
    """Ask both witnesses; None where the database is the one that traded last, or new."""
    row = Installation.objects.first()
    words = "" if row is None else _words(row)
    return Doubt(words, row.doubted_at) if row is not None and words else None


def doubt_known() -> str:
    """The words of a doubt, as of the last few seconds: for pages, which ask all the time."""
    known: str | None = cache.get(_KNOWN)
    if known is None:
        found = doubt_now()
        known = found.words if found else ""
        cache.set(_KNOWN, known, _KNOWN_FOR)
    return known


@transaction.atomic
def keep_pulse(*, now: datetime) -> str:
    """Let the pulse beat, or note a doubt; answer with the words of one that is new."""
    row, is_new = Installation.objects.get_or_create(
        defaults={"identity": uuid4(), "place": database_place(), "seen_at": now}
    )
    words = "" if is_new else _words(row)
    if not words:
        _beat(now=now)
        return ""
    noted = Installation.objects.filter(doubted_at=None).update(doubt=words, doubted_at=now)
    if not noted:
        return ""
    cache.delete(_KNOWN)
    record_log(words, type=LogType.SYSTEM, level=Severity.CRITICAL)
    return words


def _beat(*, now: datetime) -> None:
    """Let the pulse beat, and tell the file outside once that is committed."""
    trusted = Installation.objects.filter(doubted_at=None)
    if trusted.update(pulse=F("pulse") + 1, seen_at=now):
        identity, pulse = trusted.values_list("identity", "pulse").get()
        transaction.on_commit(lambda: _witness(identity, pulse), robust=True)


@transaction.atomic
def trust_again(*, by: Model | None, reason: str, now: datetime) -> None:
    """Take this database for the one that trades from now on, under an identity of its own.

    :raises NothingToConfirm: when nothing speaks against it.
    """
    row = Installation.objects.select_for_update().first()
    if row is None or not _words(row):
        raise NothingToConfirm("This database is the one that traded last")
    row.identity, row.place, row.pulse = uuid4(), database_place(), row.pulse + 1
    row.doubt, row.doubted_at, row.seen_at = "", None, now
    row.confirmed_at, row.confirmed_by_id, row.confirmed_reason = now, by.pk if by else None, reason
    row.save()
    cache.delete(_KNOWN)
    identity, pulse = row.identity, row.pulse
    transaction.on_commit(lambda: _witness(identity, pulse), robust=True)


def database_place() -> str:
    """Name where the database lies, so that a copy of it has another name; empty in memory."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT system_identifier, timeline_id, oid FROM pg_control_system(),"
                " pg_control_checkpoint(), pg_database WHERE datname = current_database()"
            )
            return ":".join(str(part) for part in cursor.fetchone())
    path = Path(connection.settings_dict["NAME"])
    return f"file {path.stat().st_ino}" if path.is_file() else ""


def _words(row: Installation) -> str:
    if row.doubt:
        return row.doubt
    if row.place != database_place():
        return _ELSEWHERE
    return _BACK if _witnessed().get(str(row.identity), 0) > row.pulse else ""


def _witnessed() -> dict[str, int]:
    """The last pulse seen of each database that this installation has used."""
    try:
        found = json.loads(Path(settings.INSTALLATION_FILE).read_text())
    except (OSError, ValueError):
        return {}
    pulses = found.items() if isinstance(found, dict) else ()
    return {identity: pulse for identity, pulse in pulses if isinstance(pulse, int)}


def _witness(identity: UUID, pulse: int) -> None:
    """Write a pulse to the file unless it knows a later one.

    What was committed goes on without the file: an order that has been claimed has yet to leave.
    """
    try:
        seen = _witnessed()
        _write_whole(seen | {str(identity): max(seen.get(str(identity), 0), pulse)})
    except OSError as error:
        logger.exception("pulse_not_written", file=settings.INSTALLATION_FILE, error=str(error))


def _write_whole(pulses: dict[str, int]) -> None:
    """Write the file whole or not at all."""
    path = Path(settings.INSTALLATION_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        written = Path(file.name)
        try:
            json.dump(pulses, file)
            file.flush()
            written.replace(path)
        except OSError:
            written.unlink(missing_ok=True)
            raise

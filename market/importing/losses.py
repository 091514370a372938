"""What a broker's list no longer has: asked about where it is much, delisted once a person agrees.

A list that is cut short looks like one from which a broker dropped instruments. The rows are
staged by market.importing.masters.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from market.auction import forget_auction_shares
from market.importing.rows import NeedsAnswer, Question
from market.models import BrokerInstrument, ImportRun

# Of a file that is not the broker's whole list, only the exchanges that it has are compared.
_COMPARED = "(%s OR b.exchange IN (SELECT token_exchange FROM staged_instruments))"
# Contracts that have expired since leave the list of themselves.
_KEPT = f"""
    SELECT COUNT(*), COUNT(s.instrument_id)
    FROM broker_instruments b JOIN instruments i ON i.id = b.instrument_id
        LEFT JOIN staged_instruments s ON s.instrument_id = i.id
    WHERE b.broker_type = %s AND b.is_listed AND (i.expiry IS NULL OR i.expiry >= %s)
        AND {_COMPARED}
"""  # noqa: S608
_VANISHED = f"""
    UPDATE broker_instruments AS b SET is_listed = FALSE
    WHERE b.broker_type = %s AND b.is_listed AND {_COMPARED}
        AND NOT EXISTS (
            SELECT 1 FROM staged_instruments s
            WHERE s.token_exchange = b.exchange AND s.token = b.security_id)
        AND NOT EXISTS (
            SELECT 1 FROM import_runs_missing m
            WHERE m.importrun_id = %s AND m.brokerinstrument_id = b.id)
"""  # noqa: S608
# What has expired leaves by itself, and so does a number whose instrument has a new one.
_MISSING = f"""
    INSERT INTO import_runs_missing (importrun_id, brokerinstrument_id)
    SELECT %s, b.id
    FROM broker_instruments b JOIN instruments i ON i.id = b.instrument_id
    WHERE b.broker_type = %s AND b.is_listed AND (i.expiry IS NULL OR i.expiry >= %s)
        AND {_COMPARED}
        AND NOT EXISTS (
            SELECT 1 FROM staged_instruments s
            WHERE s.token_exchange = b.exchange AND s.token = b.security_id)
        AND NOT EXISTS (SELECT 1 FROM staged_instruments s WHERE s.instrument_id = i.id)
"""  # noqa: S608
_NOWHERE_LISTED = """
    UPDATE instruments SET is_active = FALSE, updated_at = %s
    WHERE is_active AND refreshed_on IS NOT NULL
        AND id IN (SELECT instrument_id FROM broker_instruments
                   WHERE broker_type = %s AND NOT is_listed)
        AND NOT EXISTS (SELECT 1 FROM broker_instruments b
                        WHERE b.instrument_id = instruments.id AND b.is_listed)
"""
# A list that lacks more of the last one, in percent, is more likely cut short than right.
MOST_LOST = 20
LOSSES = "losses"


@dataclass(frozen=True, slots=True)
class Edition:
    """One list of one broker: ``is_whole`` where it leaves nothing of the broker's out.

    ``can_undo`` keeps what it changes, which takes as long again.
    """

    broker_type: str
    day: date
    is_whole: bool = False
    accept_loss: bool = False
    can_undo: bool = False


def ask_about_losses(cursor: CursorWrapper, edition: Edition) -> None:
    """:raises NeedsAnswer: when too much of the broker's last list is missing."""
    cursor.execute(_KEPT, [edition.broker_type, edition.day, edition.is_whole])
    known, kept = cursor.fetchone()
    lost = known - kept
    if lost * 100 > known * MOST_LOST and not edition.accept_loss:
        raise NeedsAnswer(
            Question(
                code=LOSSES,
                words=f"{lost:,} of the {known:,} instruments of the last list are missing: "
                "the file is cut short, or is another one. The last list stays",
                choices=((LOSSES, "Take this list, and delist what is missing from it"),),
            )
        )


def delist_losses(
    cursor: CursorWrapper, run: ImportRun, edition: Edition, *, stamp: str | datetime | None
) -> None:
    """Delist what left by itself, or was agreed to; keep the rest as the run's ``missing``."""
    run_id = run._meta.pk.get_db_prep_value(run.pk, connection)
    broker = edition.broker_type
    if not edition.accept_loss:
        cursor.execute(_MISSING, [run_id, broker, edition.day, edition.is_whole])
    cursor.execute(_VANISHED, [broker, edition.is_whole, run_id])
    cursor.execute(_NOWHERE_LISTED, [stamp, broker])


def delist(run: ImportRun, *, now: datetime) -> int:
    """Take off the list what was missing from it, now that a person agrees; return how many."""
    broker_types = set(run.missing.values_list("broker_type", flat=True))
    stamp = connection.ops.adapt_datetimefield_value(now)
    with transaction.atomic(), connection.cursor() as cursor:
        delisted = BrokerInstrument.objects.filter(pk__in=run.missing.values("pk")).update(
            is_listed=False
        )
        for broker in broker_types:
            cursor.execute(_NOWHERE_LISTED, [stamp, broker])
        run.missing.clear()
    forget_auction_shares()
    return delisted

"""The overrides and session rules as last read, and the word to every process to read again."""

import logging
import time as clock
import uuid
from dataclasses import dataclass, field
from datetime import date

from django.core.cache import cache
from django.db import transaction
from redis import RedisError

from market.models import ScheduleOverride
from market.schedules import Hours
from market.session_rules import SessionRules, read_session_rules

logger = logging.getLogger(__name__)

# Where processes share no cache, each sees what another one wrote within this many seconds.
_LASTS = 30.0
# Where they share one, within this many.
_GLANCES_EVERY = 0.2
_EDITION = "market.calendar.edition"


@dataclass(slots=True)
class Overrides:
    """The rows as last read, with the hours that were worked out from them."""

    read_at: float
    glanced_at: float
    edition: str | None
    rules: SessionRules
    rows: dict[tuple[str, date], ScheduleOverride]
    hours: dict[tuple[object, ...], Hours | None] = field(default_factory=dict)


# One value each that is replaced, never emptied: another thread may be reading it.
_current: list[Overrides | None] = [None]
# The rules outlast the overrides in memory: they are many and change with an edition alone.
_rules: list[tuple[str | None, SessionRules] | None] = [None]
# What is read between a change and its commit may be taken back, and is read once more.
_UNSETTLED = "unsettled"
_changed = [False]


def current_overrides() -> Overrides:
    now = clock.monotonic()
    known = _current[0]
    if known is None or _is_outdated(known, now):
        edition = _edition()
        rules = _rules_of(edition)
        rows = {(row.exchange, row.day): row for row in ScheduleOverride.objects.all()}
        known = _current[0] = Overrides(now, now, edition, rules, rows)
    return known


@dataclass(frozen=True, slots=True)
class DayWithoutHours:
    """A day on which exchanges trade, and nobody has entered when."""

    day: date
    reason: str
    exchanges: tuple[str, ...]


def days_without_hours() -> list[DayWithoutHours]:
    """List the special days whose hours are neither on file nor entered, newest first."""
    known = current_overrides()
    found: dict[tuple[date, str], list[str]] = {}
    for exchange, day, reason in known.rules.without_hours():
        if (exchange, day) not in known.rows:
            found.setdefault((day, reason), []).append(exchange)
    return [
        DayWithoutHours(day, reason, tuple(sorted(exchanges)))
        for (day, reason), exchanges in sorted(found.items(), reverse=True)
    ]


def forget_overrides(**signal: object) -> None:
    """Read the override rows again at the next question."""
    _current[0] = None


def announce_overrides(**signal: object) -> None:
    """Let every process read overrides and rules again, once what was written is committed."""
    forget_overrides()
    transaction.on_commit(_publish_edition)


def announce_rules() -> None:
    """The same, where the rules themselves are changed."""
    _rules[0] = None
    _changed[0] = True
    announce_overrides()


def _rules_of(edition: str | None) -> SessionRules:
    known = _rules[0]
    if known is None or known[0] != edition:
        known = _rules[0] = (_UNSETTLED if _changed[0] else edition, read_session_rules())
        _changed[0] = False
    return known[1]


def _publish_edition() -> None:
    forget_overrides()
    _rules[0] = None
    _changed[0] = False
    try:
        cache.set(_EDITION, uuid.uuid4().hex, timeout=None)
    except RedisError as error:
        logger.warning("other processes learn of the calendar's change later: %s", error)


def _is_outdated(known: Overrides, now: float) -> bool:
    if now - known.read_at > _LASTS:
        return True
    if now - known.glanced_at <= _GLANCES_EVERY:
        return False
    known.glanced_at = now
    return _edition() != known.edition


def _edition() -> str | None:
    try:
        edition: str | None = cache.get(_EDITION)
    except RedisError:
        known = _current[0]
        return None if known is None else known.edition
    return edition

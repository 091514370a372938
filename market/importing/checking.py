"""What is refused of a price file's rows, each by its line, once each row by itself is readable."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from brokers.terms import InstrumentType
from brokers.venue import CalendarUnknown, Phase
from market.bars import Bar, grid_of
from market.calendar import Hours, local_day, session_hours
from market.importing.prices import widened
from market.importing.rows import Priced, RowRefused, Skipped
from market.models import Interval
from market.schedules import IST
from market.session_rules import HoursUnknown

_TRADING = (Phase.OPEN, Phase.CLOSING_PAUSE, Phase.CLOSING_AUCTION)

_Candle = tuple[int, float]


@dataclass(frozen=True, slots=True)
class _Seen:
    line: int
    values: int


class PriceChecks:
    """Judges the rows of one file in the order they come; ``now`` ends what can have happened."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now
        self._series: dict[tuple[str, Interval], int] = {}
        self._seen: dict[_Candle, _Seen] = {}
        self._contradicted: dict[_Candle, int] = {}
        self._widened = 0

    def checked(self, priced: Priced, *, line: int) -> Priced:
        """Return the row as it may be stored, an index's range mended where it needs it.

        :raises RowRefused: when it lies in the future, on a closed day, outside the session or
            off its grid, or contradicts a row that came before.
        """
        _refuse_time(priced, self._now)
        self._refuse_contradiction(priced, line)
        if priced.instrument.instrument_type is InstrumentType.INDEX:
            bar = widened(priced.bar)
            self._widened += bar is not priced.bar
            return replace(priced, bar=bar)
        return priced

    def contradicted(self, priced: Priced) -> Skipped | None:
        """Leave a row out that a later one contradicted: nobody knows which of the two is right."""
        identity = self._identity(priced)
        later = self._contradicted.get(identity)
        if later is None:
            return None
        bar = priced.bar
        raw = f"{priced.instrument.key},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume}"
        return Skipped(self._seen[identity].line, _contradiction(bar, later), raw)

    def notes(self) -> Iterator[str]:
        if self._widened:
            yield (
                f"{self._widened:,} index candles opened or closed just outside their high and low,"
                " which were widened to hold them"
            )

    def _identity(self, priced: Priced) -> _Candle:
        series = (priced.instrument.key, priced.interval)
        number = self._series.setdefault(series, len(self._series))
        return number, priced.bar.at.timestamp()

    def _refuse_contradiction(self, priced: Priced, line: int) -> None:
        identity, values = self._identity(priced), hash(priced.bar)
        seen = self._seen.setdefault(identity, _Seen(line, values))
        if seen.values != values:
            self._contradicted.setdefault(identity, line)
            raise RowRefused(_contradiction(priced.bar, seen.line))


def _contradiction(bar: Bar, line: int) -> str:
    return f"Line {line} has other values for the same candle: neither of the two is taken"


def _refuse_time(priced: Priced, now: datetime) -> None:
    exchange, at = priced.instrument.exchange, priced.bar.at
    if priced.interval is Interval.D1:
        day, today = at.astimezone(IST).date(), local_day(exchange, now)
        if day > today:
            raise RowRefused(f"{day:%-d %b %Y} is in the future: are day and month turned round?")
        _hours(priced, day)
        return
    if at > now:
        raise RowRefused(f"{at.astimezone(IST):%-d %b %Y %H:%M} is in the future")
    day = local_day(exchange, at)
    hours = _hours(priced, day)
    if hours is not None and hours.phase_at(at) not in _TRADING:
        words = f"{exchange} was not trading at this time of {day:%-d %b %Y}"
        raise RowRefused(words, outside_on=day)
    _refuse_off_grid(priced, hours)


def _hours(priced: Priced, day: date) -> Hours | None:
    """Return the hours of a day that was open, or None where no calendar reaches.

    :raises RowRefused: when the exchange was shut.
    """
    exchange, segment = priced.instrument.exchange, priced.instrument.segment
    try:
        hours = session_hours(exchange, segment, day, has_closing_auction=True)
    except HoursUnknown as error:
        if priced.interval is Interval.D1:
            return None  # The day is known, and a day's candle needs no hours.
        raise RowRefused(str(error), outside_on=day) from error
    except CalendarUnknown:
        return None
    if hours is None:
        words = (
            f"{exchange} was shut on {day:%-d %b %Y}; "
            "if there was a special session, add it to the calendar and import again"
        )
        raise RowRefused(words, outside_on=day)
    return hours


def _refuse_off_grid(priced: Priced, hours: Hours | None) -> None:
    at, interval = priced.bar.at, priced.interval
    if grid_of(priced.instrument.exchange).start_of(at, interval) == at:
        return
    # A special session's candles are counted from its own opening.
    starts = (start for phase, start, _ in hours.spans if phase in _TRADING) if hours else ()
    if not any(not (at - start) % interval.length for start in starts):
        raise RowRefused(
            f"{at.astimezone(IST):%H:%M:%S} is not where a candle of {interval.label} begins"
        )

"""Prices that can be stored and are rarely meant: a jump that no market makes, a history replaced.

A file of one instrument given as another's is found here. Splits and bonuses make such jumps, too:
those that are recorded are taken into account, and one that looks like it is only noted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.terms import InstrumentType
from market.bars import Bar
from market.importing.rows import Priced, Question
from market.models import Candle, CorporateAction, Interval
from market.schedules import IST

JUMPS = "jumps"
# How far prices may be apart, as a factor, by the time between two candles.
_FURTHEST = (
    (timedelta(days=7), Decimal("1.25")),
    (timedelta(days=31), Decimal("1.5")),
    (timedelta(days=366), Decimal("2.5")),
)
_FURTHEST_EVER = Decimal(10)
# One file is of one source: what is nearer within it may be a thin share's own.
_FURTHEST_IN_FILE = Decimal(2)
# Two sources of the same candle differ by less.
_OTHER_SOURCE = Decimal("1.03")
# New shares for an old one in the usual splits and bonuses, and how near a fall is to one.
_USUAL_FACTORS = tuple(map(Decimal, ("1.25", "1.3333", "1.5", "2", "3", "4", "5", "6", "10")))
_NEAR = Decimal("1.1")
_SAMPLES = 3
# A file of more names each of them itself: nobody gave it as another's.
_MANY_SERIES = 100


@dataclass(slots=True)
class _Series:
    """One instrument's candles as they pass: the last, the outermost, and a jump not yet clear."""

    last: Priced
    first_at: Priced
    last_at: Priced
    pending: tuple[Bar, Bar] | None = None


@dataclass(slots=True)
class Doubts:
    """Watches a file's prices on their way to the store."""

    _series: dict[tuple[str, Interval], _Series] = field(default_factory=dict)
    _jumps: list[str] = field(default_factory=list)
    _splits: list[str] = field(default_factory=list)
    _replaced: list[str] = field(default_factory=list)

    def see(self, priced: Priced) -> None:
        """Compare a row with the one of its instrument that came before."""
        if priced.instrument.instrument_type in (InstrumentType.CE, InstrumentType.PE):
            return  # An option's price may do anything.
        bar, key = priced.bar, (priced.instrument.key, priced.interval)
        if bar.high > bar.low * _FURTHEST_IN_FILE:
            self._jumps.append(f"{_name(priced)}: from {bar.low:f} to {bar.high:f} in one candle")
        series = self._series.get(key)
        if series is None:
            self._series[key] = _Series(priced, priced, priced)
            return
        self._settle(series, priced)
        series.last = priced
        series.first_at = min(series.first_at, priced, key=_moment)
        series.last_at = max(series.last_at, priced, key=_moment)

    def see_replaced(self, key: str, stored: Bar, bar: Bar) -> None:
        """Compare a row with the candle that it would replace."""
        if _apart(stored.close, bar.close) > _OTHER_SOURCE:
            self._replaced.append(
                f"{key} {_when(bar.at)}: {stored.close:f} is stored, the file has {bar.close:f}"
            )

    def question(self) -> Question | None:
        """Return what must be answered, once all the rows have passed."""
        self._finish()
        found = [
            f"{len(words):,} {what}"
            for words, what in (
                (self._jumps, "jumps of a price that no market makes"),
                (self._replaced, "stored candles that would get a very different price"),
            )
            if words
        ]
        if not found:
            return None
        return Question(
            code=JUMPS,
            words=f"Is this the right instrument? The file has {' and '.join(found)}",
            choices=((JUMPS, "The prices are right: store them"),),
            samples=(*self._jumps[:_SAMPLES], *self._replaced[:_SAMPLES]),
        )

    def notes(self) -> Iterator[str]:
        if self._splits:
            yield (
                f"{'; '.join(self._splits[:_SAMPLES])}: "
                "if that was a split or bonus, record it, so that indicators see through it"
            )

    def _settle(self, series: _Series, priced: Priced) -> None:
        """Tell a lasting fall, as by a split, from a price that comes back; look for a new jump."""
        before, after = sorted((series.last.bar, priced.bar), key=lambda bar: bar.at)
        is_jump = _is_jump(priced, before, after)
        if series.pending is not None:
            self._call(series.last, series.pending, lasts=not is_jump)
            series.pending = None
            if is_jump:
                return  # The way back of the jump that was just told.
        series.pending = (before, after) if is_jump else None

    def _call(self, priced: Priced, jump: tuple[Bar, Bar], *, lasts: bool) -> None:
        words = _told(priced, *jump)
        is_share = priced.instrument.instrument_type is InstrumentType.EQ
        if lasts and is_share and _is_like_a_split(*jump):
            self._splits.append(words)
        elif _apart(jump[0].close, jump[1].open) > _FURTHEST_IN_FILE:
            self._jumps.append(words)

    def _finish(self) -> None:
        for series in self._series.values():
            if series.pending is not None:
                self._call(series.last, series.pending, lasts=False)
                series.pending = None
        if len(self._series) > _MANY_SERIES:
            return
        for series in self._series.values():
            self._jumps += _jumps_from_stored(series)


def _jumps_from_stored(series: _Series) -> Iterator[str]:
    """Compare the file's ends with the stored candles before and after, of any interval."""
    first, last = series.first_at, series.last_at
    stored = Candle.objects.filter(instrument__key=first.instrument.key)
    before = stored.filter(timestamp__lt=first.bar.at).order_by("-timestamp").first()
    after = stored.filter(timestamp__gt=last.bar.at).order_by("timestamp").first()
    if before is not None and _is_jump(first, _bar(before), first.bar):
        yield f"{_told(first, _bar(before), first.bar)} (the first is stored already)"
    if after is not None and _is_jump(last, last.bar, _bar(after)):
        yield f"{_told(last, last.bar, _bar(after))} (the second is stored already)"


def _is_jump(priced: Priced, before: Bar, after: Bar) -> bool:
    gap = after.at - before.at
    furthest = next((most for time, most in _FURTHEST if gap <= time), _FURTHEST_EVER)
    if _apart(before.close, after.open) <= furthest:
        return False
    factor = _recorded_factor(priced, since=_day(before.at), until=_day(after.at))
    return _apart(before.close / factor, after.open) > furthest


def _recorded_factor(priced: Priced, *, since: date, until: date) -> Decimal:
    actions = CorporateAction.objects.filter(
        instrument__key=priced.instrument.key, ex_date__gt=since, ex_date__lte=until
    )
    factor = Decimal(1)
    for action in actions:
        factor *= action.factor
    return factor


def _is_like_a_split(before: Bar, after: Bar) -> bool:
    return any(_apart(before.close / factor, after.open) < _NEAR for factor in _USUAL_FACTORS)


def _apart(one: Decimal, other: Decimal) -> Decimal:
    return max(one, other) / min(one, other)


def _bar(candle: Candle) -> Bar:
    return Bar(candle.timestamp, candle.open, candle.high, candle.low, candle.close)


def _told(priced: Priced, before: Bar, after: Bar) -> str:
    return (
        f"{_name(priced)}: {before.close.normalize():f} {_when(before.at)}, "
        f"then {after.open.normalize():f} {_when(after.at)}"
    )


def _name(priced: Priced) -> str:
    return priced.instrument.key


def _moment(priced: Priced) -> datetime:
    return priced.bar.at


def _day(at: datetime) -> date:
    return at.astimezone(IST).date()


def _when(at: datetime) -> str:
    local = at.astimezone(IST)
    is_day = not (local.hour or local.minute)
    return f"{local:on %-d %b %Y}" if is_day else f"{local:on %-d %b %Y at %H:%M}"

"""The days and hours of India's exchanges, read from the dated rows of sessions and holidays.

A special day's rows replace the regular phases of their segment; a halt alone is cut out of
them. Years of which no holidays are on file are not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import NamedTuple

from brokers.venue import CalendarUnknown, Phase
from market.models import HolidayRule, SessionRule
from market.schedules import CALENDARS, PARENTS, Board, Window

_SEGMENTS = {
    Board.CASH: frozenset({"cash", "cash_no_derivatives"}),
    Board.CASH_CLOSING_AUCTION: frozenset({"cash", "cash_closing_auction"}),
    Board.DERIVATIVES: frozenset({"fno"}),
    Board.FUTURES: frozenset({"fno", "fno_futures"}),
}
# What an order can be entered in; in every other phase of the rows nothing can.
_PHASES = {
    "pre_open": Phase.PRE_OPEN,
    "pre_open_1": Phase.PRE_OPEN,
    "pre_open_2": Phase.PRE_OPEN,
    "pre_open_entry": Phase.PRE_OPEN,
    "pre_open_entry_all": Phase.PRE_OPEN,
    "pre_open_entry_limit": Phase.PRE_OPEN,
    "pre_open_match": Phase.PRE_OPEN,
    "continuous": Phase.OPEN,
    "continuous_1": Phase.OPEN,
    "continuous_2": Phase.OPEN,
    "cas_reference": Phase.CLOSING_PAUSE,
    "cas_entry_all": Phase.CLOSING_AUCTION,
    "cas_entry_limit": Phase.CLOSING_AUCTION,
    "cas_match": Phase.CLOSING_AUCTION,
    "post_close": Phase.POST_CLOSE,
}
_HALT = "halt"
_MAIN_SEGMENTS = frozenset({"cash", "fno"})
_SHUT = frozenset({HolidayRule.State.CLOSED, HolidayRule.State.SPECIAL_ONLY})
_FRIDAY = 4


class HoursUnknown(CalendarUnknown):
    """The exchange trades that day, and nobody has entered when."""


class _Session(NamedTuple):
    exchange: str
    segment: str
    phase: str
    starts: time | None
    ends: time | None
    effective_from: date | None
    effective_to: date | None
    reason: str
    is_shipped: bool

    def holds_on(self, day: date) -> bool:
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True)
class SessionRules:
    """The rows as last read, by what they are asked for."""

    regular: dict[str, list[_Session]]
    special: dict[tuple[str, date], list[_Session]]
    shut: dict[tuple[str, date], bool]
    years: dict[str, frozenset[int]]

    def windows(self, exchange: str, board: Board, day: date) -> tuple[Window, ...]:
        """Return a day's phases in order, none when the exchange is shut.

        :raises CalendarUnknown: where the year's holidays, or the day's hours, are not on file.
        """
        self._require_known(exchange, day)
        special = self._special(exchange, board, day)
        halts = [row for row in special if row.phase == _HALT]
        phases = [row for row in special if row.phase != _HALT]
        if any(row.phase in _PHASES for row in phases):
            return _windows_of(exchange, day, phases)
        if not self._is_regular_day(exchange, day):
            if self.is_trading_day(exchange, day):
                raise HoursUnknown(_no_hours(exchange, day, "Special session"))
            return ()
        return _without(self.regular_windows(exchange, board, day), halts)

    def is_trading_day(self, exchange: str, day: date) -> bool:
        """:raises CalendarUnknown: where the year's holidays are not on file."""
        self._require_known(exchange, day)
        if self._is_regular_day(exchange, day):
            return True
        listed = _listed(exchange)
        rows = self.special.get((listed, day), [])
        return any(row.phase in _PHASES and row.segment in _MAIN_SEGMENTS for row in rows)

    def regular_windows(self, exchange: str, board: Board, day: date) -> tuple[Window, ...]:
        """Return the phases of an ordinary day at the hours in force on ``day``.

        :raises CalendarUnknown: where no hours are on file for it.
        """
        segments = _SEGMENTS[board]
        rows = [
            row
            for row in self.regular.get(_listed(exchange), ())
            if row.segment in segments and row.holds_on(day)
        ]
        if not any(_PHASES.get(row.phase) is Phase.OPEN for row in rows):
            raise CalendarUnknown(f"{exchange} has no trading hours here on {day:%-d %b %Y}")
        # Of two rows of one phase the later counts, so that a new row needs no end of the old.
        return _windows_of(exchange, day, {row.phase: row for row in rows}.values())

    def without_hours(self) -> list[tuple[str, date, str]]:
        """List exchange, day and reason of what trades at hours that are not on file."""
        found = []
        for exchange, day in self.special:
            if exchange not in CALENDARS:
                continue
            rows = self._special(exchange, Board.CASH, day)
            found += [
                (exchange, day, row.reason)
                for row in rows
                if row.starts is None and _PHASES.get(row.phase) is Phase.OPEN
            ]
        return found

    def _special(self, exchange: str, board: Board, day: date) -> list[_Session]:
        segments = _SEGMENTS[board]
        rows = self.special.get((_listed(exchange), day), [])
        rows = [row for row in rows if row.segment in segments]
        return [row for row in rows if not row.is_shipped] or rows

    def _is_regular_day(self, exchange: str, day: date) -> bool:
        return day.weekday() <= _FRIDAY and not self.shut.get((_listed(exchange), day), False)

    def _require_known(self, exchange: str, day: date) -> None:
        years = self.years.get(_listed(exchange), frozenset())
        if day.year not in years:
            last = max(year for year in years if year - min(years) < len(years)) if years else None
            span = f" from 1 Jan {min(years)} to 31 Dec {last}," if years else ""
            raise CalendarUnknown(
                f"The {exchange} calendar is known{span} not on {day:%-d %b %Y}: "
                "import the exchange's holidays"
            )


def read_session_rules() -> SessionRules:
    """Read every row of sessions and holidays; an operator's rows come after the shipped ones."""
    regular: dict[str, list[_Session]] = defaultdict(list)
    special: dict[tuple[str, date], list[_Session]] = defaultdict(list)
    order = ("-is_shipped", "effective_from", "starts")
    fields = SessionRule.objects.order_by(*order).values_list(*_Session._fields, "is_special")
    for *columns, is_special in fields:
        row = _Session(*columns)
        if is_special and row.effective_from is not None:
            special[row.exchange, row.effective_from].append(row)
        else:
            regular[row.exchange].append(row)
    shut: dict[tuple[str, date], bool] = {}
    years: dict[str, set[int]] = defaultdict(set)
    holidays = HolidayRule.objects.filter(segment__contains="cash").order_by("-is_shipped", "pk")
    for exchange, day, state in holidays.values_list("exchange", "day", "state"):
        shut[exchange, day] = state in _SHUT
        years[exchange].add(day.year)
    known = {exchange: frozenset(found) for exchange, found in years.items()}
    return SessionRules(dict(regular), dict(special), shut, known)


def _listed(exchange: str) -> str:
    return PARENTS.get(exchange, exchange)


def _windows_of(exchange: str, day: date, rows: Iterable[_Session]) -> tuple[Window, ...]:
    windows = []
    for row in rows:
        known = _PHASES.get(row.phase)
        if known is None:
            continue
        if row.starts is None or row.ends is None:
            raise HoursUnknown(_no_hours(exchange, day, row.reason))
        windows.append(Window(known, row.starts, row.ends))
    return tuple(sorted(windows, key=lambda window: window.starts))


def _no_hours(exchange: str, day: date, reason: str) -> str:
    return (
        f"{exchange} trades on {day:%-d %b %Y} ({reason}), and its hours are not known here: "
        "enter them on the trading calendar's page"
    )


def _without(windows: Sequence[Window], halts: Sequence[_Session]) -> tuple[Window, ...]:
    """Cut the halts out of a day; one whose times are not known leaves it as it is."""
    left = list(windows)
    for halt in halts:
        if halt.starts is not None and halt.ends is not None:
            left = [part for each in left for part in _parts(each, halt.starts, halt.ends)]
    return tuple(left)


def _parts(window: Window, starts: time, ends: time) -> list[Window]:
    if ends <= window.starts or window.ends <= starts:
        return [window]
    pairs = ((window.starts, starts), (ends, window.ends))
    return [Window(window.phase, begin, end) for begin, end in pairs if begin < end]

"""Session hours of each exchange as dated data; a change of hours is a new row, never an edit.

Sources: NSE/CMTR and BSE trading-hours pages; futures and options pre-open from 2025-12-08 (NSE);
closing auction from 2026-08-03 (SEBI 2026-01-16, NSE/CMTR/72394, NSE/FAOP/74467, BSE 20260612-9);
cash pre-open from 2026-09-07 (NSE/CMTR/74969). Special sessions: the exchange's circular of that
year. Regular times are in the exchange's own zone.
"""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from brokers.venue import Phase

IST = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")


class Board(StrEnum):
    """What shares one timetable: the same exchange trades shares and contracts at other hours."""

    CASH = "CASH"
    CASH_CLOSING_AUCTION = "CASH_CLOSING_AUCTION"  # shares that have derivatives
    DERIVATIVES = "DERIVATIVES"


@dataclass(frozen=True, slots=True)
class Window:
    """One phase of a day, from ``starts`` up to and without ``ends``."""

    phase: Phase
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class Timetable:
    exchanges: frozenset[str]
    board: Board
    effective_from: date
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class SpecialSession:
    """A session outside the calendar's weekdays: Muhurat, budget day, disaster-recovery drill."""

    day: date
    windows: tuple[Window, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ExchangeCalendar:
    """The library's calendar of an exchange, and the zone its hours are told in."""

    code: str
    zone: ZoneInfo


def _window(phase: Phase, starts: str, ends: str) -> Window:
    return Window(phase, time.fromisoformat(starts), time.fromisoformat(ends))


CALENDARS = {
    "NSE": ExchangeCalendar("XBOM", IST),
    "BSE": ExchangeCalendar("XBOM", IST),
    "NFO": ExchangeCalendar("XBOM", IST),
    "BFO": ExchangeCalendar("XBOM", IST),
    "NYSE": ExchangeCalendar("XNYS", NEW_YORK),
    "NASDAQ": ExchangeCalendar("XNYS", NEW_YORK),
}

_INDIA = frozenset({"NSE", "BSE", "NFO", "BFO"})
_NATIONAL = frozenset({"NSE", "NFO"})
_AMERICA = frozenset({"NYSE", "NASDAQ"})
_BEGINNING = date(1995, 1, 1)
_NSE_DERIVATIVES_PRE_OPEN = date(2025, 12, 8)
_CLOSING_AUCTION = date(2026, 8, 3)
_SHORTER_PRE_OPEN = date(2026, 9, 7)

_PRE_OPEN = _window(Phase.PRE_OPEN, "09:00", "09:15")
_SHORT_PRE_OPEN = _window(Phase.PRE_OPEN, "09:00", "09:12")
_DAY = _window(Phase.OPEN, "09:15", "15:30")
_DAY_BEFORE_AUCTION = _window(Phase.OPEN, "09:15", "15:15")
_LONG_DAY = _window(Phase.OPEN, "09:15", "15:40")
_PAUSE = _window(Phase.CLOSING_PAUSE, "15:15", "15:20")
_AUCTION = _window(Phase.CLOSING_AUCTION, "15:20", "15:35")
_POST_CLOSE = _window(Phase.POST_CLOSE, "15:40", "16:00")
_LATE_POST_CLOSE = _window(Phase.POST_CLOSE, "15:50", "16:00")
_AUCTION_DAY = (_DAY_BEFORE_AUCTION, _PAUSE, _AUCTION, _LATE_POST_CLOSE)

# Of the rows that match, the one with the latest ``effective_from`` holds.
TIMETABLES = (
    Timetable(_INDIA, Board.CASH, _BEGINNING, (_PRE_OPEN, _DAY, _POST_CLOSE)),
    Timetable(_INDIA, Board.CASH, _CLOSING_AUCTION, (_PRE_OPEN, _DAY, _LATE_POST_CLOSE)),
    Timetable(_INDIA, Board.CASH, _SHORTER_PRE_OPEN, (_SHORT_PRE_OPEN, _DAY, _LATE_POST_CLOSE)),
    Timetable(_INDIA, Board.CASH_CLOSING_AUCTION, _BEGINNING, (_PRE_OPEN, _DAY, _POST_CLOSE)),
    Timetable(_INDIA, Board.CASH_CLOSING_AUCTION, _CLOSING_AUCTION, (_PRE_OPEN, *_AUCTION_DAY)),
    Timetable(
        _INDIA, Board.CASH_CLOSING_AUCTION, _SHORTER_PRE_OPEN, (_SHORT_PRE_OPEN, *_AUCTION_DAY)
    ),
    Timetable(_INDIA, Board.DERIVATIVES, _BEGINNING, (_DAY,)),
    Timetable(_NATIONAL, Board.DERIVATIVES, _NSE_DERIVATIVES_PRE_OPEN, (_PRE_OPEN, _DAY)),
    Timetable(_NATIONAL, Board.DERIVATIVES, _CLOSING_AUCTION, (_PRE_OPEN, _LONG_DAY)),
    Timetable(frozenset({"BSE", "BFO"}), Board.DERIVATIVES, _CLOSING_AUCTION, (_LONG_DAY,)),
    Timetable(_AMERICA, Board.CASH, _BEGINNING, (_window(Phase.OPEN, "09:30", "16:00"),)),
)

_EVENING = (_window(Phase.OPEN, "18:15", "19:15"),)
_REGULAR = (_PRE_OPEN, _DAY, _POST_CLOSE)

# Sessions in India that the calendar library does not know; ScheduleOverride rows add to them.
SPECIAL_SESSIONS = {
    session.day: session
    for session in (
        SpecialSession(
            date(2017, 10, 19), (_window(Phase.OPEN, "18:30", "19:30"),), "Muhurat trading"
        ),
        SpecialSession(
            date(2018, 11, 7), (_window(Phase.OPEN, "17:30", "18:30"),), "Muhurat trading"
        ),
        SpecialSession(date(2019, 10, 27), _EVENING, "Muhurat trading"),
        SpecialSession(date(2020, 2, 1), _REGULAR, "Budget day"),
        SpecialSession(date(2020, 11, 14), _EVENING, "Muhurat trading"),
        SpecialSession(date(2021, 11, 4), _EVENING, "Muhurat trading"),
        SpecialSession(date(2022, 10, 24), _EVENING, "Muhurat trading"),
        SpecialSession(date(2023, 11, 12), _EVENING, "Muhurat trading"),
        SpecialSession(date(2024, 1, 20), _REGULAR, "Saturday session"),
        SpecialSession(
            date(2024, 3, 2),
            (_window(Phase.OPEN, "09:15", "10:00"), _window(Phase.OPEN, "11:30", "12:30")),
            "Disaster-recovery drill",
        ),
        SpecialSession(
            date(2024, 5, 18),
            (_window(Phase.OPEN, "09:15", "10:00"), _window(Phase.OPEN, "11:45", "12:40")),
            "Disaster-recovery drill",
        ),
        SpecialSession(
            date(2024, 11, 1), (_window(Phase.OPEN, "18:00", "19:00"),), "Muhurat trading"
        ),
        SpecialSession(date(2025, 2, 1), _REGULAR, "Budget day"),
        SpecialSession(
            date(2025, 10, 21), (_window(Phase.OPEN, "13:45", "14:45"),), "Muhurat trading"
        ),
        SpecialSession(date(2026, 2, 1), _REGULAR, "Budget day"),
    )
}


def timetable(exchange: str, board: Board, day: date) -> Timetable | None:
    """Return the hours in force on a day, or None where that exchange has no such board."""
    candidates = [
        row
        for row in TIMETABLES
        if exchange in row.exchanges and row.board == board and row.effective_from <= day
    ]
    return max(candidates, key=lambda row: row.effective_from, default=None)

"""What a trading day is made of, and where each exchange's days come from.

India's sessions are dated rows (:mod:`market.session_rules`); America's come from a library.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
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
    FUTURES = "FUTURES"  # derivatives that have a pre-open


@dataclass(frozen=True, slots=True)
class Window:
    """One phase of a day, from ``starts`` up to and without ``ends``."""

    phase: Phase
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class Hours:
    """A day's phases as aware moments. ``opens_at`` and ``closes_at`` bound continuous trading."""

    day: date
    spans: tuple[tuple[Phase, datetime, datetime], ...]

    @property
    def opens_at(self) -> datetime:
        return min(start for phase, start, _ in self.spans if phase is Phase.OPEN)

    @property
    def closes_at(self) -> datetime:
        return max(end for phase, _, end in self.spans if phase is Phase.OPEN)

    @property
    def begins_at(self) -> datetime:
        return min(start for _, start, _ in self.spans)

    @property
    def ends_at(self) -> datetime:
        return max(end for _, _, end in self.spans)

    def session_end(self, at: datetime) -> datetime:
        """Return when the session that a moment lies in ends; outside of any, the day's last."""
        ends = (end for start, end in self.sessions if start <= at < end)
        return next(ends, self.closes_at)

    @property
    def sessions(self) -> tuple[tuple[datetime, datetime], ...]:
        """Continuous trading in order; a day may have two parts."""
        return tuple((start, end) for phase, start, end in self.spans if phase is Phase.OPEN)

    def phase_at(self, at: datetime) -> Phase:
        for phase, start, end in self.spans:
            if start <= at < end:
                return phase
        return Phase.CLOSED


@dataclass(frozen=True, slots=True)
class ExchangeCalendar:
    """The zone of an exchange, and its calendar in the library; without one, rows are asked."""

    code: str | None
    zone: ZoneInfo


CALENDARS = {
    "NSE": ExchangeCalendar(None, IST),
    "BSE": ExchangeCalendar(None, IST),
    "NFO": ExchangeCalendar(None, IST),
    "BFO": ExchangeCalendar(None, IST),
    "NYSE": ExchangeCalendar("XNYS", NEW_YORK),
    "NASDAQ": ExchangeCalendar("XNYS", NEW_YORK),
}

# Derivatives trade on the days of their exchange.
PARENTS = {"NFO": "NSE", "BFO": "BSE"}
AMERICAN_DAY = (Window(Phase.OPEN, time(9, 30), time(16)),)

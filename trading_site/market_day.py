"""The trading day as the top bar tells it: the phase, what comes next, the line across the day."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from brokers.terms import Exchange
from brokers.venue import CalendarUnknown, Phase
from market.calendar import IST, Hours, local_day, next_trading_day, session_hours
from market.holidays import first_unknown_day
from market.schedules import NEW_YORK
from market.session_rules import HoursUnknown

AMERICAN = (Exchange.NASDAQ, Exchange.NYSE)
WORDS = {
    Phase.OPEN: "Market open",
    Phase.PRE_OPEN: "Pre-open",
    Phase.CLOSING_PAUSE: "Closing pause",
    Phase.CLOSING_AUCTION: "Closing auction",
    Phase.POST_CLOSE: "After the close",
    Phase.CLOSED: "Market closed",
}
NEXT = {
    Phase.OPEN: "Opens in",
    Phase.PRE_OPEN: "Pre-open in",
    Phase.CLOSING_PAUSE: "Closing pause in",
    Phase.CLOSING_AUCTION: "Closing auction in",
    Phase.POST_CLOSE: "Closes in",
    Phase.CLOSED: "Closes in",
}
WARNED_DAYS = 45
MARKS = {Phase.OPEN: "open", Phase.CLOSED: "closed", Phase.POST_CLOSE: "closed"}


@dataclass(frozen=True, slots=True)
class DayLine:
    """The line across a trading day: its ends, and where its phases change, by local time."""

    zone: ZoneInfo
    begins: time
    ends: time
    gates: tuple[time, ...]


INDIAN_LINE = DayLine(IST, time(9), time(16), (time(9, 15), time(15, 15), time(15, 40)))
AMERICAN_LINE = DayLine(NEW_YORK, time(9), time(16, 30), (time(9, 30), time(16)))


@dataclass(frozen=True, slots=True)
class MarketDay:
    now: datetime
    words: str
    mark: str
    hours: str
    next_words: str = ""
    next_at: datetime | None = None
    line: DayLine = INDIAN_LINE
    # The day of the line, where it is not the one of now.
    day: date | None = None

    @property
    def countdown(self) -> str:
        return clock_words(self.next_at - self.now) if self.next_at else ""

    @property
    def line_from(self) -> datetime:
        return self._at(self.line.begins)

    @property
    def line_to(self) -> datetime:
        return self._at(self.line.ends)

    @property
    def past_percent(self) -> str:
        return self._along(self.now)

    @property
    def gates(self) -> list[str]:
        return [self._along(self._at(gate)) for gate in self.line.gates]

    def _at(self, moment: time) -> datetime:
        zone = self.line.zone
        day = self.day or self.now.astimezone(zone).date()
        return datetime.combine(day, moment, tzinfo=zone)

    def _along(self, moment: datetime) -> str:
        share = (moment - self.line_from) / (self.line_to - self.line_from)
        return f"{min(max(share, 0), 1):.2%}".rstrip("%")


def market_day(exchange: str, *, now: datetime) -> MarketDay:
    """Say where the day of an exchange's shares stands; its times are India's."""
    if exchange == Exchange.SIM:
        return MarketDay(now, "Simulation", "open", "Open day and night")
    day = _day_of(exchange, now=now)
    if exchange in AMERICAN:
        words = f"US {day.words[0].lower()}{day.words[1:]}"
        return replace(day, words=words, line=AMERICAN_LINE)
    return day


def replayed_days(days: tuple[date, date] | None, *, now: datetime) -> MarketDay:
    """Say which days were played; they are over, whatever the market of now does."""
    if days is None:
        return MarketDay(now, "Replay", MARKS[Phase.CLOSED], "Nothing was played")
    first, last = (f"{day:%-d %b %Y}" for day in days)
    played = first if first == last else f"{first} to {last}"
    return MarketDay(now, "Replay", MARKS[Phase.CLOSED], played, day=days[1])


def _day_of(exchange: str, *, now: datetime) -> MarketDay:
    today = local_day(exchange, now)
    try:
        hours = session_hours(exchange, "", today, has_closing_auction=True)
        if hours is not None and now < hours.ends_at:
            return _during(hours, now=now)
    except HoursUnknown:
        words = f"Not known for {today:%-d %b}: see Calendar"
        return MarketDay(now, "Market hours unknown", MARKS[Phase.CLOSED], words)
    except CalendarUnknown:
        words = "The calendar ends before today"
        return MarketDay(now, "Market hours unknown", MARKS[Phase.CLOSED], words)
    return _closed_until(exchange, today, now=now)


def _closed_until(exchange: str, today: date, *, now: datetime) -> MarketDay:
    """The market is closed, whether the next day's hours are known or not."""
    closed = MarketDay(now, WORDS[Phase.CLOSED], MARKS[Phase.CLOSED], "")
    try:
        day = next_trading_day(exchange, today)
        following = session_hours(exchange, "", day)
    except HoursUnknown:
        return replace(closed, hours=f"{day:%-d %b}: hours not known, see Calendar")
    except CalendarUnknown:
        return replace(closed, hours="The calendar ends today")
    return _closed(following, now=now)


@dataclass(frozen=True, slots=True)
class CalendarEnd:
    """The last day that an exchange's calendar knows, and how to make the next year known."""

    exchange: str
    last_day: date

    @property
    def command(self) -> str:
        year = (self.last_day + timedelta(days=1)).year
        return (
            f"python manage.py import_holidays holidays-{year}.csv"
            f" --exchange {self.exchange} --year {year}"
        )


def calendar_ends(exchanges: Iterable[str], *, now: datetime) -> list[CalendarEnd]:
    """List the calendars that end within the days in which an owner is warned.

    The simulated exchange has none that could end.
    """
    found = []
    for exchange in sorted(set(exchanges) - {Exchange.SIM}):
        today = local_day(exchange, now)
        unknown = first_unknown_day(exchange, since=today, within=WARNED_DAYS)
        if unknown is not None:
            found.append(CalendarEnd(exchange, unknown - timedelta(days=1)))
    return found


def clock_words(left: timedelta) -> str:
    """Write what is left as the countdown shows it: 1:32:42."""
    seconds = max(0, int(left.total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _during(hours: Hours, *, now: datetime) -> MarketDay:
    current = hours.phase_at(now)
    following = ((start, phase) for phase, start, _ in hours.spans if start > now)
    next_at, next_phase = min(following, default=(hours.ends_at, Phase.CLOSED))
    return MarketDay(
        now,
        WORDS[current],
        MARKS.get(current, "auction"),
        f"{hours.opens_at.astimezone(IST):%H:%M} to {hours.closes_at.astimezone(IST):%H:%M} IST",
        NEXT[next_phase],
        next_at,
    )


def _closed(following: Hours | None, *, now: datetime) -> MarketDay:
    opens_at = following.opens_at if following else None
    soon = opens_at is not None and opens_at - now < timedelta(days=1)
    hours = f"Opens {opens_at.astimezone(IST):%a %H:%M} IST" if opens_at else ""
    words, mark = WORDS[Phase.CLOSED], MARKS[Phase.CLOSED]
    return MarketDay(now, words, mark, hours, NEXT[Phase.OPEN], opens_at if soon else None)

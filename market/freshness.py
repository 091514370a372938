"""How old brokers' instrument lists are, and what that stops.

Lots, ticks and a broker's numbers may change from one day to the next, so entries want the list of
the trading day itself; exits never do.
"""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.conf import settings
from django.db.models import Count, Max

from brokers.masters import Master
from brokers.registry import UnknownBroker, brokers, master_of
from brokers.venue import CalendarUnknown
from market import calendar
from market.models import BrokerInstrument, ImportRun, ImportStatus, Instrument
from market.schedules import CALENDARS, IST

# From this time of a trading day on, on its exchange's clock, yesterday's list is stale.
DEADLINE = time(8, 45)


@dataclass(frozen=True, slots=True)
class ListAge:
    """A broker's list as it stands: ``listed_on`` is None when none was ever imported."""

    broker: str
    label: str
    listed_on: date | None
    due_on: date
    rows: int
    latest: ImportRun | None = None
    asking: ImportRun | None = None

    @property
    def is_stale(self) -> bool:
        return self.listed_on is None or self.listed_on < self.due_on


def due_on(master: Master, at: datetime, *, since: time) -> date:
    """Return the trading day whose list is due: from ``since`` on the day's own, before the last's.

    Where the calendar does not reach, every day counts as a trading day.
    """
    exchange = master.EXCHANGE
    known = CALENDARS.get(exchange)
    clock = at.astimezone(known.zone if known else IST)
    try:
        if clock.time() >= since and calendar.is_trading_day(exchange, clock.date()):
            return clock.date()
        return calendar.previous_trading_day(exchange, clock.date())
    except CalendarUnknown:
        return clock.date()


def list_complaint(instrument: Instrument, *, broker: str, at: datetime) -> str:
    """Say what of a broker's list speaks against opening a position; empty when nothing does."""
    try:
        master = master_of(broker)
    except UnknownBroker:
        return ""
    label, symbol = _label(broker), instrument.trading_symbol
    numbers = BrokerInstrument.objects.filter(broker_type=broker, instrument=instrument)
    number = numbers.newest_first().first()
    if number is None:
        return f"{label} does not list {symbol}: import its instrument list"
    if not number.is_listed:
        return f"{label} no longer lists {symbol}"
    if number.refreshed_on is None:
        return f"The instrument list of {label} is of an unknown day: refresh it"
    if number.refreshed_on < _oldest_bearable(master, at):
        day = f"{number.refreshed_on:%d %b %Y}"
        return f"The instrument list of {label} is from {day}: refresh it"
    return ""


def list_ages(names: list[str], *, at: datetime) -> list[ListAge]:
    """Return how old the lists of some brokers are, those without a list of their own left out."""
    rows = BrokerInstrument.objects.filter(broker_type__in=names, is_listed=True)
    grouped = rows.values("broker_type").annotate(newest=Max("refreshed_on"), rows=Count("pk"))
    found: dict[str, tuple[date | None, int]] = {
        row["broker_type"]: (row["newest"], row["rows"]) for row in grouped
    }
    ages = []
    for broker in brokers():
        if broker.name not in names or broker.is_paper:
            continue
        due = _oldest_bearable(master_of(broker.name), at)
        newest, size = found.get(broker.name, (None, 0))
        latest, asking = _runs_of(master_of(broker.name).KIND)
        ages.append(ListAge(broker.name, broker.label, newest, due, size, latest, asking))
    return ages


def latest_list(kind: str) -> ImportRun | None:
    """Return the run of the newest list of that kind that was taken."""
    done = ImportRun.objects.filter(kind=kind, status=ImportStatus.COMPLETED)
    counted = done.annotate(missing_count=Count("missing"))
    return counted.order_by("-started_at", "-pk").first()


def _runs_of(kind: str) -> tuple[ImportRun | None, ImportRun | None]:
    asking = ImportRun.objects.filter(kind=kind, status=ImportStatus.ASKING)
    return latest_list(kind), asking.order_by("-started_at").first()


def _oldest_bearable(master: Master, at: datetime) -> date:
    day = due_on(master, at, since=DEADLINE)
    for _ in range(settings.INSTRUMENT_LIST_DAYS):
        try:
            day = calendar.previous_trading_day(master.EXCHANGE, day)
        except CalendarUnknown:
            return day
    return day


def _label(name: str) -> str:
    return next(broker.label for broker in brokers() if broker.name == name)

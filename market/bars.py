"""A bar of prices, and what can be made of bars without a database."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Protocol
from zoneinfo import ZoneInfo

from market.models import Interval
from market.schedules import CALENDARS, IST

_FOUR_PLACES = Decimal("0.0001")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One candle, named by the moment it opens; prices in the instrument's currency.

    ``session`` is its day at the exchange, told where a reader asks for whole sessions.
    """

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int = 0
    open_interest: int | None = None
    session: date | None = field(default=None, compare=False)

    @property
    def day(self) -> date:
        return self.session or self.at.astimezone(IST).date()


@dataclass(frozen=True, slots=True)
class Grid:
    """Where bars begin: counted from the session's opening, in the exchange's own zone."""

    zone: ZoneInfo = IST
    opens: time = time(9, 15)

    def day_of(self, at: datetime, interval: Interval) -> date:
        """Return the exchange's day that a bar belongs to; a day's bar is named in India."""
        return at.astimezone(IST if interval.length >= _DAY else self.zone).date()

    def day_begins(self, day: date, interval: Interval) -> datetime:
        """Return the moment from which bars belong to the exchange's day."""
        return datetime.combine(day, time.min, IST if interval.length >= _DAY else self.zone)

    def start_of(self, at: datetime, interval: Interval) -> datetime:
        """Return the opening moment (UTC) of the bar that ``at`` falls into."""
        local = at.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if interval.length >= _DAY:
            return datetime.combine(local.date(), time.min, IST).astimezone(UTC)
        since_open = (local - midnight) - timedelta(
            hours=self.opens.hour, minutes=self.opens.minute
        )
        return (local - since_open % interval.length).astimezone(UTC)


NSE_GRID = Grid()
_GRIDS = {
    "SIM": Grid(IST, time(0, 0)),
    "NYSE": Grid(CALENDARS["NYSE"].zone, time(9, 30)),
    "NASDAQ": Grid(CALENDARS["NASDAQ"].zone, time(9, 30)),
    "MCX": Grid(IST, time(9, 0)),
    "CDS": Grid(IST, time(9, 0)),
}


class Action(Protocol):
    """A corporate action: from the ex-date one old share is ``factor`` new ones."""

    @property
    def ex_date(self) -> date: ...

    @property
    def factor(self) -> Decimal: ...


def grid_of(exchange: str) -> Grid:
    """Return where that exchange's bars begin."""
    return _GRIDS.get(exchange, NSE_GRID)


def aggregate(bars: Iterable[Bar], interval: Interval, *, grid: Grid = NSE_GRID) -> list[Bar]:
    """Make longer bars of shorter ones that come in order of time."""
    groups = groupby(bars, key=lambda bar: grid.start_of(bar.at, interval))
    return [_joined(start, list(members)) for start, members in groups]


def adjust(
    bars: Iterable[Bar],
    actions: Iterable[Action],
    *,
    grid: Grid = NSE_GRID,
    interval: Interval = Interval.M1,
) -> list[Bar]:
    """Restate prices before each ex-date in today's shares: prices divided, volume multiplied.

    An ex-date is a day at the exchange: its ``grid`` and the bars' ``interval`` tell it. Prices
    are rounded half up to four decimals, volume to the nearest share.
    """
    steps = sorted(
        ((action.ex_date, Decimal(action.factor)) for action in actions), key=lambda step: step[0]
    )
    adjusted = []
    for bar in bars:
        day = grid.day_of(bar.at, interval)
        factor = _product(factor for ex_date, factor in steps if day < ex_date)
        adjusted.append(bar if factor == 1 else _divided(bar, factor))
    return adjusted


def _joined(start: datetime, members: list[Bar]) -> Bar:
    return Bar(
        at=start,
        open=members[0].open,
        high=max(bar.high for bar in members),
        low=min(bar.low for bar in members),
        close=members[-1].close,
        volume=sum(bar.volume for bar in members),
        open_interest=members[-1].open_interest,
    )


def _product(factors: Iterable[Decimal]) -> Decimal:
    product = Decimal(1)
    for factor in factors:
        product *= factor
    return product


def _divided(bar: Bar, factor: Decimal) -> Bar:
    def price(value: Decimal) -> Decimal:
        return (value / factor).quantize(_FOUR_PLACES, rounding=ROUND_HALF_UP)

    return replace(
        bar,
        open=price(bar.open),
        high=price(bar.high),
        low=price(bar.low),
        close=price(bar.close),
        volume=int((bar.volume * factor).to_integral_value(rounding=ROUND_HALF_UP)),
    )

"""Profit over time as a line: numbers into the coordinates of an SVG drawn by the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from math import ceil, floor, log10

from operations.figures import IST, ist_minute, ist_moment, signed
from portfolio.selectors import CurvePoint

WIDTH, HEIGHT = 1000, 172
SHORTEST = timedelta(minutes=30)
TIME_STEPS = (5, 10, 15, 30, 60, 120, 180, 240)
ZERO = Decimal(0)
_CLEAR = 0.14  # of the width: so far a phone keeps one label off the next
_MOST_DAYS = 6


@dataclass(frozen=True, slots=True)
class GridLine:
    y: str
    label_y: str
    label: str
    is_zero: bool


@dataclass(frozen=True, slots=True)
class TimeMark:
    x: str
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class ProfitChart:
    """Paths in a box of 1000 by 172; everything with a text stands at percent of the width."""

    line: str
    gain: str
    pain: str
    grid: tuple[GridLine, ...]
    times: tuple[TimeMark, ...]
    last_x: str
    last_y: str
    words: str


def profit_chart(points: Sequence[CurvePoint]) -> ProfitChart | None:
    """Draw the curve; None while there are not two points to join."""
    if len(points) < 2:
        return None
    scale = _Scale.over(points)
    xy = [(scale.x(point.at), scale.y(point.net)) for point in points]
    zero = scale.y(ZERO)
    return ProfitChart(
        line=_path(xy),
        gain=_area([(x, min(y, zero)) for x, y in _crossing(xy, zero)], zero),
        pain=_area([(x, max(y, zero)) for x, y in _crossing(xy, zero)], zero),
        grid=_grid(scale),
        times=_times(scale),
        last_x=f"{xy[-1][0] / WIDTH * 100:.2f}",
        last_y=f"{xy[-1][1]:.1f}",
        words=_words(points),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    starts_at: datetime
    ends_at: datetime
    lowest: Decimal
    highest: Decimal

    @classmethod
    def over(cls, points: Sequence[CurvePoint]) -> "_Scale":
        amounts = [ZERO, *(point.net for point in points)]
        lowest, highest = min(amounts), max(amounts)
        margin = max((highest - lowest) * Decimal("0.1"), Decimal(1))
        first, last = points[0].at, points[-1].at
        return cls(first, max(last, first + SHORTEST), lowest - margin, highest + margin)

    def x(self, at: datetime) -> float:
        return (at - self.starts_at) / (self.ends_at - self.starts_at) * WIDTH

    def y(self, amount: Decimal) -> float:
        return float((self.highest - amount) / (self.highest - self.lowest)) * HEIGHT


def _path(xy: Sequence[tuple[float, float]]) -> str:
    return "M" + " ".join(f"{x:.1f} {y:.1f}" for x, y in xy)


def _crossing(xy: Sequence[tuple[float, float]], zero: float) -> list[tuple[float, float]]:
    """Add the points where the line crosses zero, so that gain and pain meet there."""
    points = [xy[0]]
    for (x0, y0), (x1, y1) in pairwise(xy):
        if (y0 - zero) * (y1 - zero) < 0:
            points.append((x0 + (x1 - x0) * (zero - y0) / (y1 - y0), zero))
        points.append((x1, y1))
    return points


def _area(xy: Sequence[tuple[float, float]], zero: float) -> str:
    first, last = xy[0][0], xy[-1][0]
    return f"M{first:.1f} {zero:.1f} {_path(xy)[1:]} L{last:.1f} {zero:.1f}Z"


def _grid(scale: _Scale) -> tuple[GridLine, ...]:
    step = _round_step((scale.highest - scale.lowest) / 4)
    first = (scale.lowest / step).to_integral_value(ROUND_FLOOR) + 1
    lines = []
    amount = first * step
    while amount < scale.highest:
        y = scale.y(amount)
        lines.append(GridLine(f"{y:.1f}", f"{y + 4:.1f}", signed(amount, 0), amount == 0))
        amount += step
    return tuple(lines)


def _round_step(rough: Decimal) -> Decimal:
    """Take the next of 1, 2 and 5 times a power of ten, so that the labels are round."""
    power = Decimal(10) ** floor(log10(rough))
    return next(step for factor in (1, 2, 5, 10) if (step := factor * power) >= rough)


def _times(scale: _Scale) -> tuple[TimeMark, ...]:
    """Mark the hours of one day, or the days of several."""
    if scale.ends_at.astimezone(IST).date() != scale.starts_at.astimezone(IST).date():
        return _days(scale)
    minutes = (scale.ends_at - scale.starts_at) / timedelta(minutes=1)
    step = next((each for each in TIME_STEPS if minutes / each <= 7), TIME_STEPS[-1])
    marks = [TimeMark("0", ist_minute(scale.starts_at), "start")]
    at = scale.starts_at + timedelta(minutes=1)
    while at < scale.ends_at:
        # Kolkata is half an hour off, so full hours there are half hours in UTC.
        of_day = (at.hour * 60 + at.minute + 330) % 1440
        share = scale.x(at) / WIDTH
        if of_day % step == 0 and _CLEAR < share < 0.97:
            marks.append(TimeMark(f"{share * 100:.2f}", ist_minute(at), "middle"))
        at += timedelta(minutes=1)
    return tuple(marks)


def _days(scale: _Scale) -> tuple[TimeMark, ...]:
    first, last = scale.starts_at.astimezone(IST).date(), scale.ends_at.astimezone(IST).date()
    step = max(1, ceil((last - first).days / _MOST_DAYS))
    marks = [TimeMark("0", _day_words(first), "start")]
    for number in range(step, (last - first).days + 1, step):
        day = first + timedelta(days=number)
        share = scale.x(datetime.combine(day, time.min, IST)) / WIDTH
        if _CLEAR < share < 0.95:
            marks.append(TimeMark(f"{share * 100:.2f}", _day_words(day), "middle"))
    return tuple(marks)


def _day_words(day: date) -> str:
    return f"{day:%-d %b}"


def _words(points: Sequence[CurvePoint]) -> str:
    low, high = min(points, key=lambda each: each.net), max(points, key=lambda each: each.net)
    first, last = points[0], points[-1]
    is_one_day = first.at.astimezone(IST).date() == last.at.astimezone(IST).date()
    when = ist_minute if is_one_day else ist_moment
    return (
        f"Profit and loss from {when(first.at)} to {when(last.at)}: "
        f"low {signed(low.net, 0)} at {when(low.at)}, "
        f"high {signed(high.net, 0)} at {when(high.at)}, now {signed(last.net, 0)}"
    )

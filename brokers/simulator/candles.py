"""Candles out of nothing but a seed: the price at a moment is a function of that moment.

They have a market's hours and look, and are the same for the same seed always; they do not
continue the live prices, which start at the instrument's own start price.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from itertools import islice
from zoneinfo import ZoneInfo

from brokers.simulator.instruments import SimInstrument
from brokers.simulator.records import SimCandle
from brokers.terms import Segment
from brokers.venue import IST

_NEW_YORK = ZoneInfo("America/New_York")
_DAY = timedelta(days=1)
# (seconds between two independent moves, how far one may go)
_SWINGS = (
    (86_400 * 20, Decimal("0.06")),
    (86_400, Decimal("0.015")),
    (3_600, Decimal("0.004")),
    (60, Decimal("0.001")),
)
_WHOLE = Decimal(2**31)


class TooManyCandles(Exception):
    """More candles were asked for than any broker gives."""


MOST = 20_000


def candles_between(
    instrument: SimInstrument, *, seed: int, interval: timedelta, frm: datetime, to: datetime
) -> tuple[SimCandle, ...]:
    """Return the candles that start in [frm, to]; a day's starts at midnight.

    :raises TooManyCandles: above ``MOST``.
    """
    starts = list(islice(_starts(instrument, interval, frm, to), MOST + 1))
    if len(starts) > MOST:
        raise TooManyCandles(f"More than {MOST} candles were asked for")
    return tuple(_candle(instrument, seed, start, interval) for start in starts)


def price_at(instrument: SimInstrument, *, seed: int, at: datetime) -> Decimal:
    moment = Decimal(int(at.timestamp()))
    swing = sum((_swing(instrument, seed, moment, *each) for each in _SWINGS), Decimal(0))
    return _on_tick(instrument.start_price * (1 + swing), instrument)


def noise(*parts: object) -> Decimal:
    """Return a number in [-1, 1) that depends on the parts alone."""
    digest = sha256("/".join(map(str, parts)).encode()).digest()
    return Decimal(int.from_bytes(digest[:4], "big")) / _WHOLE - 1


def _starts(
    instrument: SimInstrument, interval: timedelta, frm: datetime, to: datetime
) -> Iterator[datetime]:
    zone, opens, closes = _hours(instrument)
    day = frm.astimezone(zone).date()
    while day <= to.astimezone(zone).date():
        if day.weekday() < 5:
            start = datetime.combine(day, time.min if interval >= _DAY else opens, zone)
            end = datetime.combine(day, closes, zone)
            while start < end:
                if frm <= start <= to:
                    yield start
                start += max(interval, timedelta(minutes=1))
        day += max(timedelta(days=interval.days), _DAY)


def _hours(instrument: SimInstrument) -> tuple[ZoneInfo, time, time]:
    if instrument.segment is Segment.US_EQ:
        return _NEW_YORK, time(9, 30), time(16, 0)
    return IST, time(9, 15), time(15, 30)


def _candle(
    instrument: SimInstrument, seed: int, start: datetime, interval: timedelta
) -> SimCandle:
    at = start.timestamp()
    opened = price_at(instrument, seed=seed, at=start)
    closed = price_at(instrument, seed=seed, at=start + interval)
    wick = instrument.start_price * _SWINGS[-1][1]
    above = abs(noise(seed, instrument.token, at, "high")) * wick
    below = abs(noise(seed, instrument.token, at, "low")) * wick
    share = 1 + noise(seed, instrument.token, at, "volume") / 2
    return SimCandle(
        start=start,
        open=opened,
        high=_on_tick(max(opened, closed) + above, instrument),
        low=_on_tick(min(opened, closed) - below, instrument),
        close=closed,
        volume=int(share * 200 * int(interval.total_seconds())),
        open_interest=1000 * instrument.lot if instrument.kind.is_derivative else 0,
    )


def _swing(
    instrument: SimInstrument, seed: int, moment: Decimal, period: int, size: Decimal
) -> Decimal:
    """Go smoothly from one independent value to the next, so that neighbours agree."""
    number, into = divmod(moment, period)
    before = noise(seed, instrument.token, period, number)
    after = noise(seed, instrument.token, period, number + 1)
    share = into / period
    return size * (before + (after - before) * share)


def _on_tick(price: Decimal, instrument: SimInstrument) -> Decimal:
    ticks = (price / instrument.tick).to_integral_value(ROUND_HALF_EVEN)
    return max(ticks, Decimal(1)) * instrument.tick

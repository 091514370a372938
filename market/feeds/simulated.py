"""The simulated exchange: it never closes, invents its prices, and tells the same story twice."""

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np

from brokers.gateway import QuoteTick
from market.bars import Bar
from market.calendar import IST
from market.feeds.feed import TickBatch
from market.feeds.simulation import SECONDS, Integers, SimulatedDay, simulate_day
from market.feeds.universe import INDEX_KEY, INDEX_TICK, SHARES, SimulatedShare

SEED = 1
_SECOND = timedelta(seconds=1)
_MINUTES = SECONDS // 60

Clock = Callable[[], datetime]


class SimulatedExchange:
    """Prices as a function of (seed, second): two runs agree, and a restart goes on plausibly."""

    def __init__(self, *, seed: int = SEED, shares: Sequence[SimulatedShare] = SHARES) -> None:
        self._seed = seed
        self._shares = tuple(shares)
        self._keys = [*(share.key for share in shares), INDEX_KEY]
        self._tick_sizes = [*(share.tick for share in shares), INDEX_TICK]
        self._days: dict[date, SimulatedDay] = {}

    def batch(self, at: datetime, *, since: datetime | None = None) -> TickBatch:
        """Return the prices of a second, with the volume traded since another (default: in it)."""
        day, second = self._place(at)
        volumes = day.volumes[self._first_second(since, at) : second + 1].sum(axis=0).tolist()
        row = (day.prices[second].tolist(), day.spreads[second].tolist(), day.at_ask[second])
        ticks = tuple(
            self._tick(column, at, row, volumes[column]) for column in range(len(self._keys))
        )
        return TickBatch(at, ticks)

    def between(
        self, start: datetime, end: datetime, *, every: timedelta = _SECOND
    ) -> Iterator[TickBatch]:
        """Give the batches of a stretch of time, ``end`` left out, as fast as they are taken."""
        before, at = None, start
        while at < end:
            yield self.batch(at, since=before)
            before, at = at, at + every

    def minute_bars(self, day: date) -> dict[str, list[Bar]]:
        """Return a whole day's one-minute candles by instrument key."""
        known = self._day(day)
        minutes = known.prices.reshape(_MINUTES, 60, -1)
        ranges = (minutes[:, 0], minutes.max(axis=1), minutes.min(axis=1), minutes[:, -1])
        volumes = known.volumes.reshape(_MINUTES, 60, -1).sum(axis=1)
        midnight = datetime.combine(day, time(), IST)
        opens = [midnight + timedelta(minutes=minute) for minute in range(_MINUTES)]
        return {
            key: _bars(opens, [prices[:, column] for prices in ranges], volumes[:, column], tick)
            for column, (key, tick) in enumerate(zip(self._keys, self._tick_sizes, strict=True))
        }

    def _tick(
        self, column: int, at: datetime, row: tuple[list[int], list[int], Integers], volume: int
    ) -> QuoteTick:
        prices, spreads, at_ask = row
        size = self._tick_sizes[column]
        if column == len(self._shares):
            return QuoteTick(self._keys[column], prices[column] * size, at)
        ltp = prices[column]
        bid = ltp - spreads[column] * int(at_ask[column])
        depth = 1 + self._shares[column].volume * (1 + (ltp + at.second) % 7)
        return QuoteTick(
            key=self._keys[column],
            ltp=ltp * size,
            at=at,
            volume=volume,
            bid=bid * size,
            ask=(bid + spreads[column]) * size,
            bid_quantity=depth,
            ask_quantity=1 + self._shares[column].volume * (1 + (ltp + at.minute) % 7),
        )

    def _first_second(self, since: datetime | None, at: datetime) -> int:
        """Count from after ``since``, within the day of ``at``."""
        _, second = self._place(at)
        if since is None or since.astimezone(IST).date() != at.astimezone(IST).date():
            return second
        return min(self._place(since)[1] + 1, second)

    def _place(self, at: datetime) -> tuple[SimulatedDay, int]:
        local = at.astimezone(IST)
        return self._day(local.date()), local.hour * 3600 + local.minute * 60 + local.second

    def _day(self, day: date) -> SimulatedDay:
        if day not in self._days:
            self._days.clear()
            self._days[day] = simulate_day(self._shares, seed=self._seed, day=day)
        return self._days[day]


class LiveSimulation:
    """The simulated exchange at the pace of a clock, from the last full minute on."""

    def __init__(
        self,
        exchange: SimulatedExchange,
        *,
        clock: Clock,
        stopped: threading.Event,
        every: timedelta = _SECOND,
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._stopped = stopped
        self._every = every

    def batches(self) -> Iterator[TickBatch]:
        """Begin at the minute's start, so that its candle is whole; then keep to the clock.

        What was missed, as when the laptop slept, is skipped: its volume comes in one batch.
        """
        at = self._clock().replace(second=0, microsecond=0)
        before: datetime | None = None
        while not self._stopped.wait(max((at - self._clock()).total_seconds(), 0)):
            yield self._exchange.batch(at, since=before)
            before, at = at, at + self._every
            behind = self._clock() - at
            if behind > timedelta(minutes=2):
                at += behind // self._every * self._every


def _bars(
    opens: list[datetime], ranges: list[Integers], volumes: Integers, tick: Decimal
) -> list[Bar]:
    columns = np.column_stack([*ranges, volumes]).tolist()
    return [
        Bar(at, first * tick, high * tick, low * tick, last * tick, volume)
        for at, (first, high, low, last, volume) in zip(opens, columns, strict=True)
    ]

"""How fast stored prices are played through feed, strategies, risk, paper broker and booking."""

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter

from django.utils import timezone

from accounts.models import User
from bench.figures import Figures, figure, median_of
from trading_site.replay_report import add_up
from trading_site.replaying import ReplayRequest, prepare_replay

ROUNDS = 3
DAYS = (date(2026, 6, 15), date(2026, 6, 16), date(2026, 6, 17))
BARS_A_DAY = 75
SYMBOLS = (
    "RELIANCE", "TCS", "HDFCBANK", "INFY", "ICICIBANK",
    "SBIN", "BHARTIARTL", "ITC", "LT", "AXISBANK",
)  # fmt: skip
BARS = len(SYMBOLS) * len(DAYS) * BARS_A_DAY
STRATEGIES = ("rsi_dmi", "price_breakout")


@dataclass(frozen=True, slots=True)
class Replaying:
    bars: float = field(
        metadata=figure(
            "bars", "bars/s", "five-minute bars; each is four ticks through the whole pipeline"
        )
    )
    orders: float = field(
        metadata=figure("orders on the way", "orders", "what the strategies asked for meanwhile")
    )
    fills: float = field(metadata=figure("fills on the way", "fills", "each booked with charges"))


class ReplayFaulty(Exception):
    """The books do not agree: a fast replay of wrong figures is no figure."""


def measure() -> dict[str, Figures]:
    user = User.objects.create(username="replaying", email="replaying@example.com")
    with tempfile.TemporaryDirectory(prefix="pinnacle-bench-") as folder:
        for number, symbol in enumerate(SYMBOLS):
            _write_prices(Path(folder) / f"{symbol}.csv", symbol, seed=number)
        rounds = [_play(Path(folder), user) for _ in range(ROUNDS)]
    title = f"A replay ({len(SYMBOLS)} shares, {len(DAYS)} days, {BARS:,} bars)"
    return {title: median_of(rounds)}


def _play(folder: Path, user: User) -> Replaying:
    replay = prepare_replay(ReplayRequest(folder, STRATEGIES), user=user, now=timezone.now())
    started = perf_counter()
    total = add_up(list(replay.play()))
    seconds = perf_counter() - started
    faults = replay.faults()
    if faults:
        raise ReplayFaulty("; ".join(faults))
    return Replaying(bars=BARS / seconds, orders=total.orders, fills=total.fills)


def _write_prices(path: Path, symbol: str, *, seed: int) -> None:
    """Write a price file as it is downloaded: three header lines, UTC, five minutes a row."""
    head = ("Price,Close,High,Low,Open,Volume", "Ticker" + f",{symbol}.NS" * 5, "Datetime,,,,,")
    path.write_text("\n".join((*head, *_rows(seed))) + "\n")


def _rows(seed: int) -> Iterator[str]:
    """Let a price wander, the same way every time."""
    chance = random.Random(seed)
    opened = 400.0 * (seed + 1)
    for day in DAYS:
        at = datetime(day.year, day.month, day.day, 3, 45, tzinfo=UTC)
        for _ in range(BARS_A_DAY):
            close = opened * (1 + chance.gauss(0, 0.0025))
            high = max(opened, close) * (1 + abs(chance.gauss(0, 0.0008)))
            low = min(opened, close) * (1 - abs(chance.gauss(0, 0.0008)))
            yield f"{at.isoformat(sep=' ')},{close},{high},{low},{opened},{10_000 + seed}"
            opened, at = close, at + timedelta(minutes=5)

"""Price files as they are downloaded: three header lines, UTC, five minutes a row."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

WEDNESDAY, THURSDAY = date(2026, 6, 17), date(2026, 6, 18)
BARS_A_DAY = 75


def write_prices(
    folder: Path, *symbols: str, days: tuple[date, ...] = (WEDNESDAY, THURSDAY)
) -> Path:
    """Prices that swing widely enough for a breakout every hour or two; returns the folder."""
    for number, symbol in enumerate(symbols):
        rows = [
            "Price,Close,High,Low,Open,Volume",
            "Ticker" + f",{symbol}.NS" * 5,
            "Datetime,,,,,",
            *_rows(days, base=500 * (number + 1), shift=number * 7),
        ]
        (folder / f"{symbol}.csv").write_text("\n".join(rows) + "\n")
    return folder


def _rows(days: tuple[date, ...], *, base: int, shift: int) -> Iterator[str]:
    opened = float(base)
    for number in range(len(days) * BARS_A_DAY):
        day, bar = divmod(number, BARS_A_DAY)
        at = datetime(days[day].year, days[day].month, days[day].day, 3, 45, tzinfo=UTC)
        at += bar * timedelta(minutes=5)
        close = base * (1 + 0.02 * math.sin((number + shift) / 9) + 0.005 * math.sin(number))
        high, low = max(opened, close) + 0.55, min(opened, close) - 0.45
        yield f"{at.isoformat(sep=' ')},{close},{high},{low},{opened},{10_000 + number}"
        opened = close

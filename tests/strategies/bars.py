"""Hand-made candles, five minutes apart from 09:15 in Kolkata."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from market.bars import Bar

OPENING = datetime(2026, 6, 17, 3, 45, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)


def bars_closing_at(
    *closes: str | int, spread: str = "0.5", start: datetime = OPENING
) -> list[Bar]:
    """Candles that open where the one before closed, and reach ``spread`` beyond both ends."""
    bars: list[Bar] = []
    for number, close in enumerate(map(Decimal, closes)):
        opening = bars[-1].close if bars else close
        bars.append(
            Bar(
                at=start + number * FIVE_MINUTES,
                open=opening,
                high=max(opening, close) + Decimal(spread),
                low=min(opening, close) - Decimal(spread),
                close=close,
                volume=1000,
            )
        )
    return bars


def mirrored(bars: Iterable[Bar], *, about: str = "200") -> list[Bar]:
    """The same course upside down: what makes a long strategy act makes a short one act."""
    level = Decimal(about)
    return [
        Bar(
            bar.at,
            level - bar.open,
            level - bar.low,
            level - bar.high,
            level - bar.close,
            bar.volume,
        )
        for bar in bars
    ]

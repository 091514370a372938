"""A line of 72 by 20 that says only: up or down, and how rough the way was."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 72, 20


@dataclass(frozen=True, slots=True)
class Sparkline:
    path: str
    baseline: str
    is_fall: bool


def sparkline(amounts: Sequence[Decimal]) -> Sparkline | None:
    """Draw amounts against their first; None where nothing has moved yet."""
    lowest, highest = min(amounts, default=Decimal(0)), max(amounts, default=Decimal(0))
    span = highest - lowest
    if not span:
        return None
    step = WIDTH / (len(amounts) - 1)
    heights = [float((highest - amount) / span) * HEIGHT for amount in amounts]
    path = " ".join(f"{index * step:.1f} {y:.1f}" for index, y in enumerate(heights))
    return Sparkline(f"M{path}", f"{heights[0]:.1f}", amounts[-1] < amounts[0])

"""A line drawn on the server, for pages whose CSP forbids script and style of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH = 1000
HEIGHT = 150
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class LineChart:
    """An SVG path over a box of 1000 by 150, with the height of zero and the line's ends."""

    path: str
    zero: str
    lowest: Decimal
    highest: Decimal
    last: Decimal


def line_chart(values: Sequence[Decimal]) -> LineChart | None:
    """Draw the values from left to right; None where there are too few for a line."""
    if len(values) < 2:
        return None
    lowest, highest = min(*values, Decimal(0)), max(*values, Decimal(0))
    span = (highest - lowest) or Decimal(1)

    def height(value: Decimal) -> str:
        return f"{_MARGIN + (highest - value) / span * (HEIGHT - 2 * _MARGIN):.1f}"

    step = Decimal(WIDTH) / (len(values) - 1)
    points = [f"{index * step:.1f} {height(value)}" for index, value in enumerate(values)]
    return LineChart(
        path="M" + " ".join(points),
        zero=height(Decimal(0)),
        lowest=lowest,
        highest=highest,
        last=values[-1],
    )

"""Make one bar of five texts, and refuse what no market prints."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from market.bars import Bar
from market.importing.rows import RowRefused
from market.importing.values import count_of, price_of

# An index may open so far outside its own range: a tick, or a ten-thousandth of it.
_INDEX_TICK = Decimal("0.05")
_INDEX_STRAY = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Texts:
    """A bar as a file writes it; ``places`` is what its prices are rounded to.

    An exchange's closing price is an average and may lie outside what traded last:
    ``close_may_stray`` says that it does in this file. An index is worked out from its shares, and
    its open or close may lie a tick outside: :func:`widened` mends that.
    """

    open: str
    high: str
    low: str
    close: str
    volume: str = "0"
    open_interest: str | None = None
    places: str = "0.0001"
    close_may_stray: bool = False
    is_index: bool = False


def bar_of(texts: Texts, *, at: datetime) -> Bar:
    """:raises RowRefused: when a price is missing or the four contradict each other."""
    opened, high, low, close = (
        price_of(text, what, places=texts.places)
        for text, what in (
            (texts.open, "The open"),
            (texts.high, "The high"),
            (texts.low, "The low"),
            (texts.close, "The close"),
        )
    )
    slack = _index_slack(low) if texts.is_index else Decimal(0)
    inside = (opened,) if texts.close_may_stray else (opened, close)
    _check_range(high, low, inside=inside, slack=slack)
    interest = texts.open_interest
    return Bar(
        at,
        opened,
        high,
        low,
        close,
        count_of(texts.volume.strip().removesuffix(".0"), "The volume"),
        None if interest is None else count_of(interest, "The open interest"),
    )


def widened(bar: Bar) -> Bar:
    """Return the bar with a high and a low that hold its open and its close."""
    high, low = max(bar.high, bar.open, bar.close), min(bar.low, bar.open, bar.close)
    return bar if (high, low) == (bar.high, bar.low) else replace(bar, high=high, low=low)


def _index_slack(price: Decimal) -> Decimal:
    return max(_INDEX_TICK, price * _INDEX_STRAY)


def _check_range(
    high: Decimal, low: Decimal, *, inside: tuple[Decimal, ...], slack: Decimal
) -> None:
    if high < low:
        raise RowRefused(f"The high {high:f} is below the low {low:f}")
    if not all(low - slack <= price <= high + slack for price in inside):
        raise RowRefused(f"The open or close is outside the range {low:f} to {high:f}")

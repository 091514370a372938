"""What every feed gives: batches of prices in the order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from brokers.gateway import QuoteTick


@dataclass(frozen=True, slots=True)
class TickBatch:
    """All prices of one moment. An empty batch only tells that time has passed."""

    at: datetime
    ticks: tuple[QuoteTick, ...] = ()


class Feed(Protocol):
    """A source of prices. ``batches`` ends when the source has no more, or once it is stopped."""

    def batches(self) -> Iterator[TickBatch]: ...

"""What every algorithm is: settings that decide, from closed candles alone.

An algorithm is a frozen dataclass whose fields are its parameters. ``decide`` is pure: the same
candles and the same position give the same answer in a backtest, in a replay and live.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brokers.terms import Side
from market.bars import Bar


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do at this candle's close. An exit closes the whole position."""

    side: Side
    is_exit: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Lookback:
    """The candles a decision needs: the last ``bars``, and all of the session's where it says so.

    With fewer than ``bars`` nothing is entered: what its indicators read has not settled.

    A fixed number, since a smoothed indicator depends on where it starts: whoever reads the same
    candles must reach the same figure.
    """

    bars: int
    whole_session: bool = False


class Algorithm(ABC):
    @property
    @abstractmethod
    def lookback(self) -> Lookback: ...

    @abstractmethod
    def decide(self, bars: Sequence[Bar], position: int) -> Decision | None:
        """Judge the newest of ``bars``, all of them closed, oldest first.

        ``position`` is the signed quantity this strategy holds. None: nothing to do, or too few
        candles to tell.
        """

    def contradictions(self) -> Mapping[str, list[str]]:
        """Name settings that are fine alone and senseless together."""
        return {}

    @property
    def sells_short(self) -> bool:
        return bool(getattr(self, "allow_short", False))


def enter(side: Side, reason: str) -> Decision:
    return Decision(side=side, is_exit=False, reason=reason)


def leave(position: int, reason: str) -> Decision:
    """Close the whole position, whichever way it stands."""
    return Decision(side=Side.SELL if position > 0 else Side.BUY, is_exit=True, reason=reason)

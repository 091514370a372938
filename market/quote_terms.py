"""A quote as the house sees it, and how a batch of ticks changes one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.gateway import QuoteTick
from market.calendar import local_day

FRESH_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class QuoteView:
    """The last price of one instrument and its day so far, as of a moment."""

    key: str
    ltp: Decimal
    bid: Decimal | None
    ask: Decimal | None
    open: Decimal
    high: Decimal
    low: Decimal
    previous_close: Decimal | None
    volume: int
    as_of: datetime
    session_date: date
    bid_quantity: int = 0
    ask_quantity: int = 0

    @property
    def change(self) -> Decimal | None:
        """What it moved since the previous session's close; None when that is not known."""
        return None if self.previous_close is None else self.ltp - self.previous_close

    @property
    def change_percent(self) -> Decimal | None:
        if not self.previous_close:
            return None
        return (self.ltp - self.previous_close) * 100 / self.previous_close

    def is_stale(self, now: datetime) -> bool:
        """Tell whether the price is too old to trade on."""
        return now - self.as_of > FRESH_FOR


@dataclass(frozen=True, slots=True)
class Movement:
    """What one batch says of one instrument."""

    last: QuoteTick
    session_date: date
    open: Decimal
    high: Decimal
    low: Decimal
    volume: int

    def joined(self, tick: QuoteTick) -> "Movement":
        return replace(
            self,
            last=tick,
            high=max(self.high, tick.ltp),
            low=min(self.low, tick.ltp),
            volume=self.volume + tick.volume,
        )


def session_date_of(tick: QuoteTick) -> date:
    """The exchange's own calendar day: a print after the close still belongs to its session."""
    return local_day(tick.key.partition(":")[0], tick.at)


def movements(ticks: Sequence[QuoteTick]) -> list[Movement]:
    """Fold ticks into one movement per instrument, sorted by its key."""
    folded: dict[str, Movement] = {}
    for tick in sorted(ticks, key=lambda tick: tick.at):
        day = session_date_of(tick)
        known = folded.get(tick.key)
        if known is None or known.session_date != day:
            folded[tick.key] = Movement(tick, day, tick.ltp, tick.ltp, tick.ltp, tick.volume)
        else:
            folded[tick.key] = known.joined(tick)
    return [folded[key] for key in sorted(folded)]


def moved(before: QuoteView | None, movement: Movement) -> QuoteView:
    """Return the quote after a movement; one that is older than the quote changes nothing."""
    tick = movement.last
    if before is not None and tick.at < before.as_of:
        return before
    if before is None or movement.session_date != before.session_date:
        return _opened(movement, previous_close=None if before is None else before.ltp)
    return replace(
        _opened(movement, previous_close=before.previous_close),
        open=before.open,
        high=max(before.high, movement.high),
        low=min(before.low, movement.low),
        volume=before.volume + movement.volume,
    )


def _opened(movement: Movement, *, previous_close: Decimal | None) -> QuoteView:
    tick = movement.last
    return QuoteView(
        key=tick.key,
        ltp=tick.ltp,
        bid=tick.bid,
        ask=tick.ask,
        open=movement.open,
        high=movement.high,
        low=movement.low,
        previous_close=previous_close,
        volume=movement.volume,
        as_of=tick.at,
        session_date=movement.session_date,
        bid_quantity=tick.bid_quantity,
        ask_quantity=tick.ask_quantity,
    )

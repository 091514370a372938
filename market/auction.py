"""Which shares close by auction, and so where the day stands for one instrument."""

import time as clock
from datetime import date, datetime
from typing import Protocol

from brokers.terms import InstrumentType
from brokers.venue import Phase
from market.calendar import local_day, phase
from market.models import Instrument

# A master may list a share's first contract at any time of the morning.
_SYMBOLS_LAST = 60.0


class Traded(Protocol):
    """What an instrument's phase depends on: an Instrument, or the reference a broker gets."""

    @property
    def exchange(self) -> str: ...

    @property
    def segment(self) -> str: ...

    @property
    def trading_symbol(self) -> str: ...

    @property
    def instrument_type(self) -> str: ...


_known: dict[date, tuple[float, frozenset[str]]] = {}


def instrument_phase(instrument: Traded, at: datetime) -> Phase:
    """Say where the day stands for one instrument, its closing auction included.

    :raises CalendarUnknown: where the calendar does not reach, or the exchange has none.
    """
    day = local_day(instrument.exchange, at)
    return phase(
        instrument.exchange,
        instrument.segment,
        at,
        has_closing_auction=has_closing_auction(instrument, day),
        has_pre_open=instrument.instrument_type == InstrumentType.FUT,
    )


def has_closing_auction(instrument: Traded, day: date) -> bool:
    """Tell whether a share closes by auction: one that has unexpired futures does."""
    if instrument.instrument_type != InstrumentType.EQ or instrument.exchange == "SIM":
        return False
    return instrument.trading_symbol in shares_with_futures(day)


def shares_with_futures(day: date) -> frozenset[str]:
    """Return the symbols that have unexpired futures; asked of the database once a minute."""
    now = clock.monotonic()
    known = _known.get(day)
    if known is None or now - known[0] > _SYMBOLS_LAST:
        futures = Instrument.objects.active().filter(
            instrument_type=InstrumentType.FUT, expiry__gte=day
        )
        known = (now, frozenset(futures.values_list("underlying", flat=True).distinct()))
        _known.clear()
        _known[day] = known
    return known[1]


def forget_auction_shares() -> None:
    """Read which shares have futures again at the next question; called after an import."""
    _known.clear()

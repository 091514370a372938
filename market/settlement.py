"""How the exchange ends a contract: whether in cash or in shares, when, and at which price.

Contracts on an index end in cash at the index's closing value of the expiry day, those on shares in
shares (NSE Clearing; SEBI of 11-Apr-2018, whole since the expiries of October 2019). The price is
the exchange's own statement: a day's candle from a file, or what a person read. A tick is none.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from django.db.models import QuerySet

from brokers.terms import InstrumentType
from brokers.venue import CalendarUnknown
from market.calendar import IST, previous_trading_day, session_date, session_hours
from market.importing.symbols import INDEX_NAMES, index_key
from market.models import Candle, Instrument, Interval, SettlementPrice

_LISTED_UNDER = {"NFO": "NSE", "BFO": "BSE"}
# Indices that have contracts and may be traded before their own row has been imported.
_INDICES = frozenset(INDEX_NAMES) | {"SENSEX", "BANKEX", "SENSEX50"}


class Contract(Protocol):
    """What decides how a contract ends."""

    @property
    def exchange(self) -> str: ...

    @property
    def segment(self) -> str: ...

    @property
    def expiry(self) -> date | None: ...


def has_expired(contract: Contract, at: datetime) -> bool:
    """Tell whether the contract's last session is over.

    Where no calendar reaches, it is once the day after its last has begun in India.
    """
    if contract.expiry is None:
        return False
    try:
        return session_date(contract.exchange, at) > contract.expiry
    except CalendarUnknown:
        return at.astimezone(IST).date() > contract.expiry


def last_moment(contract: Contract) -> datetime:
    """Return the last moment at which the contract could be traded, to date its end by.

    :raises CalendarUnknown: where the calendar does not reach.
    """
    if contract.expiry is None:
        raise CalendarUnknown("It has no day of expiry")
    day = contract.expiry
    hours = session_hours(contract.exchange, contract.segment, day)
    if hours is None:  # the exchange brought the expiry forward, and the list did not say so
        day = previous_trading_day(contract.exchange, day)
        hours = session_hours(contract.exchange, contract.segment, day)
    if hours is None:
        raise CalendarUnknown(f"{contract.exchange} did not trade on {day:%-d %b %Y}")
    return hours.closes_at - timedelta(seconds=1)


def is_on_index(instrument: Instrument) -> bool:
    """Tell whether a contract is on an index; one on anything else ends in delivery.

    An index may share a share's name: where both are known it is the share, for that is never cash.
    """
    symbol = instrument.underlying.upper()
    if symbol in _INDICES:
        return True
    return _index_of(instrument) is not None and not _share_of(instrument).exists()


def final_price(instrument: Instrument, *, workspace_id: UUID) -> Decimal | None:
    """Return the exchange's final price of the contract's underlying, None where nobody knows it.

    What a person of the workspace read, else an index's own candle of the day of expiry.
    """
    if instrument.expiry is None:
        return None
    entered = SettlementPrice.objects.filter(
        workspace=workspace_id,
        exchange=instrument.exchange,
        underlying=instrument.underlying,
        expiry=instrument.expiry,
    )
    price = entered.values_list("price", flat=True).first()
    if price is None and is_on_index(instrument):
        return _closing_value(instrument)
    return price


def _closing_value(instrument: Instrument) -> Decimal | None:
    """The index's close of the day of expiry, where a day's candle of it is on file."""
    index = _index_of(instrument)
    if index is None or instrument.expiry is None:
        return None
    midnight = datetime.combine(instrument.expiry, time.min, IST)
    candles = Candle.objects.filter(instrument=index, interval=Interval.D1, timestamp=midnight)
    return candles.values_list("close", flat=True).first()


def _listed_under(instrument: Instrument) -> str:
    return _LISTED_UNDER.get(instrument.exchange, instrument.exchange)


def _share_of(instrument: Instrument) -> QuerySet[Instrument]:
    return Instrument.objects.filter(
        instrument_type=InstrumentType.EQ,
        exchange=_listed_under(instrument),
        trading_symbol=instrument.underlying,
    )


def _index_of(instrument: Instrument) -> Instrument | None:
    exchange = _listed_under(instrument)
    indices = Instrument.objects.filter(instrument_type=InstrumentType.INDEX, exchange=exchange)
    key = index_key(exchange, instrument.underlying)
    return (
        indices.filter(key=key).first()
        or indices.filter(underlying=instrument.underlying).exclude(underlying="").first()
    )

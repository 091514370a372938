"""The simulated exchange's instruments and the days before today, so that charts have a past."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from brokers.terms import Exchange, InstrumentType, Segment
from market.bars import Bar
from market.calendar import IST
from market.feeds.simulated import SimulatedExchange
from market.feeds.universe import EXCHANGE, INDEX_KEY, INDEX_SYMBOL, INDEX_TICK, SHARES
from market.models import Candle, Instrument, Interval
from market.quotes import QuoteView, put_quotes, quotes_of
from market.store import StoredBar, write_bars

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def ensure_demo_instruments() -> list[Instrument]:
    """Write what trades on the simulated exchange, the index first; safe to run again."""
    rows = [_index(), *(_share(share.symbol, share.name, share.tick) for share in SHARES)]
    Instrument.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["name", "segment", "instrument_type", "tick_size", "is_active"],
    )
    stored = Instrument.objects.filter(exchange=EXCHANGE).in_bulk(field_name="key")
    return [stored[row.key] for row in rows]


def backfill_history(exchange: SimulatedExchange, *, days: int, now: datetime) -> int:
    """Write the one-minute candles that are missing up to the running minute; count them.

    Only what came after the newest stored candle is written, so that it also closes the gap
    which a pause of the feed has left. The quotes get yesterday's close.
    """
    identities = _identities()
    minute = now.replace(second=0, microsecond=0)
    start = max(filter(None, (_midnight(now) - days * _DAY, _newest_candle())))
    written = 0
    for day in _days(start, minute):
        bars = exchange.minute_bars(day)
        written += write_bars(
            StoredBar(identities[key], Interval.M1, bar)
            for key, column in bars.items()
            for bar in column
            if start <= bar.at < minute
        )
    _quote_the_close(exchange, now=now)
    return written


def _quote_the_close(exchange: SimulatedExchange, *, now: datetime) -> None:
    """Give the instruments without a quote of today the one they would have had all along."""
    today = now.astimezone(IST).date()
    before, bars = exchange.minute_bars(today - _DAY), exchange.minute_bars(today)
    known = quotes_of(list(bars))
    put_quotes(
        [
            _quote(key, column, before[key][-1].close, now=now)
            for key, column in bars.items()
            if key not in known or known[key].session_date != today
        ]
    )


def _quote(key: str, bars: list[Bar], previous_close: Decimal, *, now: datetime) -> QuoteView:
    past = [bar for bar in bars if bar.at + _MINUTE <= now] or bars[:1]
    return QuoteView(
        key=key,
        ltp=past[-1].close,
        bid=None,
        ask=None,
        open=past[0].open,
        high=max(bar.high for bar in past),
        low=min(bar.low for bar in past),
        previous_close=previous_close,
        volume=sum(bar.volume for bar in past),
        as_of=past[-1].at,
        session_date=now.astimezone(IST).date(),
    )


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day = start.astimezone(IST).date()
    while day <= end.astimezone(IST).date():
        yield day
        day += _DAY


def _newest_candle() -> datetime | None:
    newest = Candle.objects.filter(instrument__key=INDEX_KEY, interval=Interval.M1)
    at = newest.order_by("-timestamp").values_list("timestamp", flat=True).first()
    return at + _MINUTE if at else None


def _identities() -> dict[str, int]:
    return dict(Instrument.objects.filter(exchange=EXCHANGE).values_list("key", "pk"))


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(IST).date(), time(), IST)


def _index() -> Instrument:
    return Instrument(
        key=INDEX_KEY,
        trading_symbol=INDEX_SYMBOL,
        name="Nifty 50 (simulated)",
        exchange=Exchange.SIM,
        segment=Segment.IDX,
        instrument_type=InstrumentType.INDEX,
        tick_size=INDEX_TICK,
    )


def _share(symbol: str, name: str, tick: Decimal) -> Instrument:
    return Instrument(
        key=f"{EXCHANGE}:{symbol}",
        trading_symbol=symbol,
        name=f"{name} (simulated)",
        exchange=Exchange.SIM,
        segment=Segment.NSE_EQ,
        instrument_type=InstrumentType.EQ,
        tick_size=tick,
    )

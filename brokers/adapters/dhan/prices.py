"""Dhan's data API: quotes, candles, the option chain. It needs a subscription of its own."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from brokers.abilities import (
    BrokerCandle,
    CandleRequest,
    DepthLevel,
    OptionRow,
    QuoteReport,
)
from brokers.adapters.dhan import rows, words
from brokers.adapters.dhan.answers import Answer
from brokers.adapters.dhan.client import DhanClient
from brokers.adapters.dhan.way import Way
from brokers.candles import whole_days, within
from brokers.gateway import GatewayUnavailable, InstrumentRef
from brokers.greeks import greeks_of
from brokers.rows import rows_of
from brokers.values import (
    MOST_PRICE,
    Row,
    Unreadable,
    count_or_none,
    count_or_zero,
    number,
    number_or_zero,
    price,
)
from brokers.venue import IST

_MOST_QUOTES = 1_000
_LONGEST_SPAN = timedelta(days=90)
_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60}
_SERIES = ("timestamp", "open", "high", "low", "close", "volume")


class Prices(Way):
    def quotes(self, instruments: Sequence[InstrumentRef]) -> Mapping[str, QuoteReport]:
        told: dict[str, QuoteReport] = {}
        for start in range(0, len(instruments), _MOST_QUOTES):
            told |= self._quotes(instruments[start : start + _MOST_QUOTES])
        return told

    def candles(self, request: CandleRequest) -> Sequence[BrokerCandle]:
        """Return the candles of a span, asked for in pieces of at most 90 days.

        :raises GatewayUnavailable: for an interval Dhan does not tell, too.
        """
        if request.interval == "1d":
            return self._daily(whole_days(request, IST))
        if request.interval not in _MINUTES:
            raise GatewayUnavailable(
                f"Dhan tells no candles of {request.interval}: choose {', '.join(_MINUTES)} or 1d"
            )
        candles: dict[datetime, BrokerCandle] = {}
        for start, end in _spans(request.start, request.end):
            candles |= {each.at: each for each in self._intraday(request, start, end)}
        return within(candles.values(), request)

    def option_chain(self, underlying: InstrumentRef, expiry: date) -> Sequence[OptionRow]:
        """Return the chain of one expiry.

        :raises GatewayUnavailable: when it is empty too: Dhan answers so to a wrong number.
        """

        def ask(client: DhanClient) -> Answer:
            answer: Answer = client.option_chain(
                int(words.number_of(underlying)), words.segment_of(underlying), expiry.isoformat()
            )
            return answer

        return self._read(ask, _chain)

    def _quotes(self, instruments: Sequence[InstrumentRef]) -> dict[str, QuoteReport]:
        def ask(client: DhanClient) -> Answer:
            asked: defaultdict[str, list[int]] = defaultdict(list)
            for each in instruments:
                asked[words.segment_of(each)].append(int(words.number_of(each)))
            answer: Answer = client.quote_data(dict(asked))
            return answer

        def read(body: object) -> dict[str, QuoteReport]:
            data = _object(rows.read_object(body).get("data"))
            told = ((each, _quoted(data, each)) for each in instruments)
            reports = (self._quote(each, row) for each, row in told if row is not None)
            return {report.key: report for report in reports if report is not None}

        return self._read(ask, read)

    def _quote(self, instrument: InstrumentRef, row: Row) -> QuoteReport | None:
        """Return None for an instrument that has not traded yet: it has no price."""
        ltp = _price(row, "last_price")
        if ltp is None:
            return None
        day, depth = _object(row.get("ohlc") or {}), _object(row.get("depth") or {})
        return QuoteReport(
            key=instrument.key,
            ltp=ltp,
            at=words.time_told(row.get("last_trade_time")) or self._clock(),
            open=_price(day, "open"),
            high=_price(day, "high"),
            low=_price(day, "low"),
            previous_close=_price(day, "close"),
            volume=_count(row, "volume"),
            average_price=_price(row, "average_price"),
            open_interest=_count(row, "oi"),
            lower_circuit=_price(row, "lower_circuit_limit"),
            upper_circuit=_price(row, "upper_circuit_limit"),
            bids=_levels(depth.get("buy")),
            asks=_levels(depth.get("sell")),
        )

    def _intraday(
        self, request: CandleRequest, start: datetime, end: datetime
    ) -> list[BrokerCandle]:
        return self._read(
            lambda client: client.intraday_minute_data(
                security_id=words.number_of(request.instrument),
                exchange_segment=words.segment_of(request.instrument),
                instrument_type=words.instrument_word(request.instrument),
                from_date=f"{start.astimezone(IST):%Y-%m-%d %H:%M:%S}",
                to_date=f"{end.astimezone(IST):%Y-%m-%d %H:%M:%S}",
                interval=_MINUTES[request.interval],
                oi=request.instrument.instrument_type.is_derivative,
            ),
            _candles,
        )

    def _daily(self, request: CandleRequest) -> list[BrokerCandle]:
        last_day = request.end.astimezone(IST).date() + timedelta(days=1)  # told without it
        candles = self._read(
            lambda client: client.historical_daily_data(
                security_id=words.number_of(request.instrument),
                exchange_segment=words.segment_of(request.instrument),
                instrument_type=words.instrument_word(request.instrument),
                from_date=request.start.astimezone(IST).date().isoformat(),
                to_date=last_day.isoformat(),
                oi=request.instrument.instrument_type.is_derivative,
            ),
            _candles,
        )
        return within(candles, request)


def _spans(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start <= end:
        stop = min(start + _LONGEST_SPAN, end)
        yield start, stop
        start = stop + timedelta(seconds=1)


def _candles(body: object) -> list[BrokerCandle]:
    """Read the parallel arrays.

    :raises Unreadable: when they differ in length, since then no row can be trusted.
    """
    told = rows.read_object(body)
    columns = [_column(told, name) for name in _SERIES]
    interest = told.get("open_interest")
    length = len(columns[0])
    interests = interest if isinstance(interest, list) and interest else [None] * length
    if {len(column) for column in (*columns, interests)} != {length}:
        raise Unreadable("Dhan told candles whose columns differ in length")
    return [_candle(*each) for each in zip(*columns, interests, strict=True)]


def _candle(*told: object) -> BrokerCandle:
    stamp, opened, high, low, closed, volume, interest = told
    return BrokerCandle(
        at=datetime.fromtimestamp(int(number(stamp, "timestamp")), IST),
        open=number(opened, "open", most=MOST_PRICE),
        high=number(high, "high", most=MOST_PRICE),
        low=number(low, "low", most=MOST_PRICE),
        close=number(closed, "close", most=MOST_PRICE),
        volume=int(number_or_zero(volume, "volume")),
        open_interest=count_or_none(interest, "the open interest"),
    )


def _chain(body: object) -> list[OptionRow]:
    data = _object(rows.read_object(body).get("data"))
    told: list[OptionRow] = []
    for strike, sides in _object(data.get("oc") or {}).items():
        level = number(strike, "a strike", most=MOST_PRICE).normalize()
        for name, is_call in (("ce", True), ("pe", False)):
            row = _object(sides).get(name)
            if isinstance(row, Mapping):
                told.append(_option(row, level, is_call=is_call))
    if not told:
        raise Unreadable("Dhan told an option chain without a single contract")
    return sorted(told, key=lambda each: (each.strike, not each.is_call))


def _option(row: Row, strike: Decimal, *, is_call: bool) -> OptionRow:
    iv = _price(row, "implied_volatility")
    return OptionRow(
        token=str(row.get("security_id") or ""),
        strike=Decimal(f"{strike:f}"),
        is_call=is_call,
        ltp=_price(row, "last_price"),
        open_interest=_count(row, "oi"),
        volume=_count(row, "volume"),
        iv=iv,
        greeks=greeks_of(_object(row.get("greeks") or {}), iv=iv),
    )


def _quoted(data: Row, instrument: InstrumentRef) -> Row | None:
    board = data.get(words.segment_of(instrument))
    row = board.get(instrument.token) if isinstance(board, Mapping) else None
    return row if isinstance(row, Mapping) else None


def _levels(told: object) -> tuple[DepthLevel, ...]:
    if not isinstance(told, list):
        return ()
    levels = [
        DepthLevel(
            price=number_or_zero(each.get("price"), "the depth's price"),
            quantity=count_or_zero(each.get("quantity"), "the depth's quantity"),
            orders=count_or_zero(each.get("orders"), "the depth's orders"),
        )
        for each in rows_of(told, "depth")
    ]
    return tuple(level for level in levels if level.price and level.quantity)


def _object(value: object) -> Row:
    return rows.read_object(value)


def _column(told: Row, name: str) -> list[object]:
    column = told.get(name)
    if not isinstance(column, list):
        raise Unreadable(f"Dhan told candles without {name}")
    return column


def _price(row: Row, name: str) -> Decimal | None:
    return price(row.get(name), name)


def _count(row: Row, name: str) -> int | None:
    return count_or_none(row.get(name), name)

"""Prices by request: quotes and candles, in chunks that Angel One takes, and option chains."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from brokers.abilities import BrokerCandle, CandleRequest, DepthLevel, OptionRow, QuoteReport
from brokers.adapters.angel import chains
from brokers.adapters.angel.line import AngelLine
from brokers.adapters.angel.rows import last_price
from brokers.adapters.angel.sending import exchange_of
from brokers.adapters.angel.words import time_of
from brokers.candles import whole_days, within
from brokers.gateway import GatewayUnavailable, InstrumentRef
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

QUOTES_A_CALL = 50
# The house's interval, Angel's word for it, and the most days of one request.
INTERVALS = {
    "1m": ("ONE_MINUTE", 30),
    "3m": ("THREE_MINUTE", 60),
    "5m": ("FIVE_MINUTE", 100),
    "10m": ("TEN_MINUTE", 100),
    "15m": ("FIFTEEN_MINUTE", 200),
    "30m": ("THIRTY_MINUTE", 200),
    "1h": ("ONE_HOUR", 400),
    "1d": ("ONE_DAY", 2000),
}


class MarketReads:
    """The reads of prices; a gateway mixes them in and brings its line."""

    line: AngelLine

    def last_price(self, instrument: InstrumentRef) -> Decimal:
        """:raises GatewayUnavailable: when Angel One tells none."""
        exchange, symbol = exchange_of(instrument), instrument.broker_symbol
        return self.line.read(
            f"last price of {instrument.trading_symbol}",
            lambda client: client.ltpData(exchange, symbol, instrument.token),
            last_price,
        )

    def quotes(self, instruments: Sequence[InstrumentRef]) -> Mapping[str, QuoteReport]:
        known = [each for each in instruments if each.token]
        found: dict[str, QuoteReport] = {}
        for start in range(0, len(known), QUOTES_A_CALL):
            found |= self._quotes(known[start : start + QUOTES_A_CALL])
        return found

    def candles(self, request: CandleRequest) -> Sequence[BrokerCandle]:
        """:raises GatewayUnavailable: also for an interval that Angel One does not keep."""
        if request.interval not in INTERVALS:
            raise GatewayUnavailable(f"Angel One keeps no candles of {request.interval}")
        word, days = INTERVALS[request.interval]
        request = whole_days(request, IST)
        found: dict[datetime, BrokerCandle] = {}
        for start, end in spans(request.start, request.end, days=days):
            found |= {each.at: each for each in self._candles(request, word, start, end)}
        return within(found.values(), request)

    def option_chain(self, underlying: InstrumentRef, expiry: date) -> Sequence[OptionRow]:
        """Put a chain together from the search, the quotes and the greeks; NSE alone.

        :raises GatewayUnavailable: when the contracts or their prices cannot be read.
        """
        if underlying.exchange != "NSE":
            raise GatewayUnavailable("Angel One's chains are put together for NSE alone")
        name = chains.option_name(underlying)
        prefix = f"{name}{expiry:%d%b%y}".upper()
        contracts = self.line.read(
            f"contracts of {name}",
            lambda client: client.searchScrip("NFO", prefix),
            lambda data: chains.contracts(rows_of(data, "search", takes_null=True), prefix),
        )
        quotes = self.quotes([contract.ref for contract in contracts])
        greeks = self._greeks(name, expiry)
        return [chains.option_row(each, quotes, greeks) for each in contracts]

    def _greeks(self, name: str, expiry: date) -> chains.Greeks:
        asked = {"name": name, "expirydate": f"{expiry:%d%b%Y}".upper()}
        try:
            return self.line.read(
                "greeks",
                lambda client: client.optionGreek(asked),
                lambda data: chains.greeks(rows_of(data, "greeks", takes_null=True)),
            )
        except GatewayUnavailable:
            # They are told while the market is open alone; a chain without them is still one.
            return {}

    def _quotes(self, instruments: Sequence[InstrumentRef]) -> dict[str, QuoteReport]:
        asked: dict[str, list[str]] = {}
        for each in instruments:
            asked.setdefault(exchange_of(each), []).append(each.token)
        keys = {(exchange_of(each), each.token): each.key for each in instruments}
        return self.line.read(
            "quotes",
            lambda client: client.getMarketData("FULL", asked),
            lambda data: quote_reports(data, keys),
        )

    def _candles(
        self, request: CandleRequest, word: str, start: datetime, end: datetime
    ) -> list[BrokerCandle]:
        asked = {
            "exchange": exchange_of(request.instrument),
            "symboltoken": request.instrument.token,
            "interval": word,
            "fromdate": f"{start.astimezone(IST):%Y-%m-%d %H:%M}",
            "todate": f"{end.astimezone(IST):%Y-%m-%d %H:%M}",
        }
        return self.line.read(
            f"candles of {request.instrument.trading_symbol}",
            lambda client: client.getCandleData(asked),
            candle_rows,
        )


def spans(start: datetime, end: datetime, *, days: int) -> list[tuple[datetime, datetime]]:
    """Cut a stretch of time into requests of at most so many days; both ends are included."""
    cut = []
    while start <= end:
        stop = min(start + timedelta(days=days) - timedelta(minutes=1), end)
        cut.append((start, stop))
        start = stop + timedelta(minutes=1)
    return cut


def quote_reports(data: Any, keys: Mapping[tuple[str, str], str]) -> dict[str, QuoteReport]:
    """:raises Unreadable: when the answer leaves out something that was asked."""
    if not isinstance(data, dict):
        raise Unreadable("the quotes are no object")
    fetched, unfetched = (
        rows_of(data.get(name), name, takes_null=True) for name in ("fetched", "unfetched")
    )
    told = {_place(row) for row in (*fetched, *unfetched)}
    if missing := set(keys) - told:
        raise Unreadable(f"{len(missing)} of {len(keys)} quotes are missing")
    return {
        keys[_place(row)]: _quote(row, keys[_place(row)]) for row in fetched if _place(row) in keys
    }


def candle_rows(data: Any) -> list[BrokerCandle]:
    """:raises Unreadable: when a row is not time, four prices and a volume."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise Unreadable("the candles are no list")
    return [_candle(row) for row in data]


def _candle(row: Any) -> BrokerCandle:
    try:
        told, *numbers = row
        opened, high, low, close, volume = numbers
        at = datetime.fromisoformat(told)
    except (TypeError, ValueError) as error:
        raise Unreadable("a candle has another shape") from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=IST)
    return BrokerCandle(
        at=at.astimezone(UTC),
        open=number(opened, "open", most=MOST_PRICE),
        high=number(high, "high", most=MOST_PRICE),
        low=number(low, "low", most=MOST_PRICE),
        close=number(close, "close", most=MOST_PRICE),
        volume=int(number_or_zero(volume, "volume")),
    )


def _quote(row: Row, key: str) -> QuoteReport:
    at = time_of(row.get("exchFeedTime")) or time_of(row.get("exchTradeTime"))
    if at is None:
        raise Unreadable("a quote comes without its time")
    depth = row.get("depth") if isinstance(row.get("depth"), dict) else {}
    return QuoteReport(
        key=key,
        ltp=number(row.get("ltp"), "ltp", most=MOST_PRICE),
        at=at,
        open=price(row.get("open"), "open"),
        high=price(row.get("high"), "high"),
        low=price(row.get("low"), "low"),
        previous_close=price(row.get("close"), "close"),
        volume=count_or_none(row.get("tradeVolume"), "tradeVolume"),
        average_price=price(row.get("avgPrice"), "avgPrice"),
        open_interest=count_or_none(row.get("opnInterest"), "opnInterest"),
        lower_circuit=price(row.get("lowerCircuit"), "lowerCircuit"),
        upper_circuit=price(row.get("upperCircuit"), "upperCircuit"),
        bids=_levels(depth, "buy"),
        asks=_levels(depth, "sell"),
    )


def _levels(depth: Any, side: str) -> tuple[DepthLevel, ...]:
    levels = (
        DepthLevel(
            price(row.get("price"), "the depth's price") or Decimal(0),
            count_or_zero(row.get("quantity"), "the depth's quantity"),
            count_or_zero(row.get("orders"), "the depth's orders"),
        )
        for row in rows_of(depth.get(side), "depth", takes_null=True)
    )
    return tuple(level for level in levels if level.quantity and level.price)


def _place(row: Row) -> tuple[str, str]:
    return str(row.get("exchange", "")), str(row.get("symbolToken", ""))

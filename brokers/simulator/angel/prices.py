"""SmartAPI's prices by request: quotes, last price, candles, greeks, the search of symbols."""

from datetime import datetime, timedelta
from decimal import Decimal

from brokers.simulator.angel.answers import Body, something_wrong, text
from brokers.simulator.angel.rows import Row, moment
from brokers.simulator.angel.symbols import expiry_of, found, symbol_of
from brokers.simulator.exchange import SimQuote, SimulatedBroker, UnknownInstrument
from brokers.simulator.records import DepthLevel
from brokers.venue import IST

_MOST_QUOTES = 50
_MOST_FOUND = 500
_INTERVALS = {
    "ONE_MINUTE": (timedelta(minutes=1), 30),
    "THREE_MINUTE": (timedelta(minutes=3), 60),
    "FIVE_MINUTE": (timedelta(minutes=5), 100),
    "TEN_MINUTE": (timedelta(minutes=10), 100),
    "FIFTEEN_MINUTE": (timedelta(minutes=15), 200),
    "THIRTY_MINUTE": (timedelta(minutes=30), 200),
    "ONE_HOUR": (timedelta(hours=1), 400),
    "ONE_DAY": (timedelta(days=1), 2000),
}


class PriceDesk:
    def __init__(self, broker: SimulatedBroker) -> None:
        self._broker = broker

    def last_price(self, _: str, body: Body) -> Row:
        """:raises Refuse: for a symbol that is not listed."""
        exchange, token = text(body, "exchange"), text(body, "symboltoken")
        instrument = found(self._broker, exchange=exchange, token=token)
        quote = self._broker.quote(token)
        return {
            "exchange": exchange,
            "tradingsymbol": symbol_of(instrument),
            "symboltoken": token,
            **_ohlc(quote),
            "ltp": float(quote.last_price),
        }

    def quotes(self, _: str, body: Body) -> Row:
        """Quote up to fifty; what is not listed is told apart.

        :raises Refuse: for an unknown mode, or too many.
        """
        asked = body.get("exchangeTokens")
        if text(body, "mode") not in ("LTP", "OHLC", "FULL") or not isinstance(asked, dict):
            raise something_wrong()
        places = [(str(name), str(token)) for name, tokens in asked.items() for token in tokens]
        if len(places) > _MOST_QUOTES:
            raise something_wrong()
        answer: dict[str, list[Row]] = {"fetched": [], "unfetched": []}
        for exchange, token in places:
            row = self._quote(exchange, token)
            answer["unfetched" if row is None else "fetched"].append(
                row or _unlisted(exchange, token)
            )
        return dict(answer)

    def candles(self, _: str, body: Body) -> list[list[object]] | None:
        """:raises Refuse: for an unknown interval, or more days than it has at once."""
        token = text(body, "symboltoken")
        found(self._broker, exchange=text(body, "exchange"), token=token)
        start, end = (_time(body, name) for name in ("fromdate", "todate"))
        step, days = _INTERVALS.get(text(body, "interval"), (None, 0))
        if step is None or end < start or end - start > timedelta(days=days):
            raise something_wrong()
        rows: list[list[object]] = [
            [
                each.start.astimezone(IST).isoformat(timespec="seconds"),
                *map(float, (each.open, each.high, each.low, each.close)),
                each.volume,
            ]
            for each in self._broker.candles(token, step, start, end)
        ]
        return rows or None

    def search(self, _: str, body: Body) -> list[Row] | None:
        exchange, wanted = text(body, "exchange"), text(body, "searchscrip").upper()
        rows: list[Row] = [
            {
                "exchange": exchange,
                "tradingsymbol": symbol_of(each),
                "symboltoken": each.token,
            }
            for each in self._broker.instruments()
            if each.exchange == exchange and wanted in symbol_of(each).upper()
        ]
        return rows[:_MOST_FOUND] or None

    def greeks(self, _: str, body: Body) -> list[Row] | None:
        """Return every value as a text with six places; the greeks here are no model's."""
        name, expiry = text(body, "name"), text(body, "expirydate")
        rows: list[Row] = [
            {
                "name": name,
                "expiry": expiry,
                "strikePrice": f"{each.strike:.6f}",
                "optionType": str(each.kind),
                "delta": "0.500000" if each.kind == "CE" else "-0.500000",
                "gamma": "0.001000",
                "theta": "-4.091800",
                "vega": "2.296700",
                "impliedVolatility": "16.330000",
                "tradeVolume": f"{self._broker.quote(each.token).volume:.2f}",
            }
            for each in self._broker.instruments()
            if each.kind.is_option and each.name == name and expiry_of(each) == expiry
        ]
        return rows or None

    def _quote(self, exchange: str, token: str) -> Row | None:
        try:
            quote = self._broker.quote(token)
        except UnknownInstrument:
            return None
        if quote.instrument.exchange != exchange:
            return None
        return {
            "exchange": exchange,
            "tradingSymbol": symbol_of(quote.instrument),
            "symbolToken": token,
            "ltp": float(quote.last_price),
            **_ohlc(quote),
            "lastTradeQty": quote.last_quantity,
            "exchFeedTime": moment(quote.at),
            "exchTradeTime": moment(quote.at),
            "netChange": float(quote.last_price - quote.close),
            "percentChange": 0.0,
            "avgPrice": float(quote.average_price),
            "tradeVolume": quote.volume,
            "opnInterest": quote.open_interest,
            "lowerCircuit": float(quote.lower_circuit),
            "upperCircuit": float(quote.upper_circuit),
            "totBuyQuan": sum(level.quantity for level in quote.bids),
            "totSellQuan": sum(level.quantity for level in quote.asks),
            "52WeekLow": float(quote.lower_circuit),
            "52WeekHigh": float(quote.upper_circuit),
            "depth": {"buy": _depth(quote.bids), "sell": _depth(quote.asks)},
        }


def _ohlc(quote: SimQuote) -> Row:
    names = ("open", "high", "low", "close")
    prices: list[Decimal] = [getattr(quote, name) for name in names]
    return {name: float(price) for name, price in zip(names, prices, strict=True)}


def _depth(levels: tuple[DepthLevel, ...]) -> list[Row]:
    return [
        {"price": float(each.price), "quantity": each.quantity, "orders": each.orders}
        for each in levels
    ]


def _unlisted(exchange: str, token: str) -> Row:
    return {
        "exchange": exchange,
        "symbolToken": token,
        "message": "Symbol token cannot be empty" if not token else "Symbol Not Found",
        "errorCode": "AB4018" if not token else "AB1009",
    }


def _time(body: Body, name: str) -> datetime:
    try:
        naive = datetime.strptime(text(body, name), "%Y-%m-%d %H:%M")  # noqa: DTZ007 - Indian time
    except ValueError:
        raise something_wrong() from None
    return naive.replace(tzinfo=IST)

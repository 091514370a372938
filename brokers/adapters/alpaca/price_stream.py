"""Alpaca's prices: arrays of messages in msgpack, trades and best quotes of each symbol."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from brokers.adapters.alpaca.client import Keys
from brokers.adapters.alpaca.endpoints import DataFeed, data_socket
from brokers.adapters.alpaca.sending import symbol_of
from brokers.adapters.alpaca.words import moment
from brokers.gateway import InstrumentRef, QuoteTick
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    Ready,
    StreamError,
    StreamKind,
    Ticks,
)

msgpack: Any = import_module("msgpack")  # it comes without types
_LARGEST_FRAME = 1 << 22
_PER_FRAME = 500
# The free feed takes thirty symbols.
_SYMBOLS = {DataFeed.IEX: 30, DataFeed.SIP: 3000}
_REFUSED_KEYS = frozenset({401, 402, 403, 404})
# Another socket of ours is open, or the plan lacks the feed: this socket is of no use.
_FATAL = frozenset({406, 408, 409})
_TRADE, _QUOTE = "t", "q"
_ANSWERED, _QUIET = 90.0, 3600.0  # seconds
_REMEMBERED = 200  # trades of a symbol, so that one told twice counts once


class _Strange(ValueError):
    """A message that says what none can."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Known:
    """What was last told of one symbol; ``trades`` are the names of its newest trades."""

    key: str
    last: Decimal | None = None
    last_at: datetime | None = None
    trades: deque[object] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_quantity: int = 0
    ask_quantity: int = 0

    def has_heard(self, message: Mapping[str, object]) -> bool:
        """Tell whether a trade was told before, and remember it; one without a number is new."""
        name = (message.get("x"), message.get("i"))
        is_known = name[1] is not None and name in self.trades
        if not is_known:
            self.trades.append(name)
        return is_known

    def trade(self, price: Decimal, at: datetime) -> None:
        """Take a trade as the last one, unless a newer one has overtaken it on the way."""
        if self.last_at is None or at >= self.last_at:
            self.last, self.last_at = price, at


class PriceStream:
    """One socket. A quote makes a tick too, at the last price, once something has traded."""

    kind: StreamKind = StreamKind.MARKET
    heartbeat_every: float | None = 30.0
    connections = 1
    is_greeted = False

    def __init__(self, keys: Keys, *, clock: Callable[[], datetime] = _now) -> None:
        self._keys = keys
        self._clock = clock
        self._symbols: dict[str, _Known] = {}
        self.per_connection = _SYMBOLS[keys.feed]
        self.stale_after = _QUIET

    def url(self) -> str:
        return data_socket(self._keys.feed)

    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/msgpack"}

    def greeting(self) -> Sequence[Frame]:
        return [_packed({"action": "auth", "key": self._keys.key, "secret": self._keys.secret})]

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        symbols = {symbol_of(each): each.key for each in instruments}
        self._symbols |= {symbol: _Known(key) for symbol, key in symbols.items()}
        self._expect_words()
        return _requests("subscribe", list(symbols))

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        symbols = [symbol_of(each) for each in instruments]
        for symbol in symbols:
            self._symbols.pop(symbol, None)
        self._expect_words()
        return _requests("unsubscribe", symbols)

    def heartbeat(self) -> Frame | None:
        """Ask for what is subscribed already: it changes nothing, and is answered."""
        symbol = next(iter(self._symbols), None)
        return None if symbol is None else _requests("subscribe", [symbol])[0]

    def _expect_words(self) -> None:
        """Nothing is said where nothing was asked for; else the heartbeat is answered."""
        self.stale_after = _ANSWERED if self._symbols else _QUIET

    def parse(self, frame: Frame) -> Sequence[News]:
        if len(frame) > _LARGEST_FRAME:
            return [StreamError(f"A frame of {len(frame)} bytes is beyond anything Alpaca sends")]
        if isinstance(frame, str):
            return [StreamError("A text frame where msgpack belongs")]
        try:
            messages = msgpack.unpackb(frame, timestamp=3)
        except (ValueError, RecursionError, msgpack.UnpackException):
            return [StreamError(f"A frame of {len(frame)} bytes was cut off or is not msgpack")]
        if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
            return [StreamError("A frame that is not a list of messages")]
        return self._read_all(messages)

    def _read_all(self, messages: Sequence[Mapping[str, object]]) -> Sequence[News]:
        news: list[News] = []
        ticks: list[QuoteTick] = []
        for message in messages:
            try:
                if message.get("T") in (_TRADE, _QUOTE):
                    ticks += self._tick(message)
                else:
                    news.append(_control(message))
            except (_Strange, ValueError, ArithmeticError, TypeError) as error:
                news.append(StreamError(f"A price message could not be read: {error}"))
        if ticks:
            news.append(Ticks(tuple(ticks)))
        return news or [Heartbeat()]

    def _tick(self, message: Mapping[str, object]) -> list[QuoteTick]:
        """Return a tick, none for what was not asked for or has no price yet."""
        known = self._symbols.get(str(message.get("S")))
        if known is None:
            return []
        at, volume = self._moment(message.get("t")), 0
        price = known.last
        if message.get("T") == _TRADE:
            price, volume = _price(message.get("p")), _count(message.get("s"))
            if known.has_heard(message):
                return []
            known.trade(price, at)
        else:
            known.bid, known.bid_quantity = _side(message.get("bp"), message.get("bs"))
            known.ask, known.ask_quantity = _side(message.get("ap"), message.get("as"))
        if price is None:
            return []
        return [
            QuoteTick(
                key=known.key,
                ltp=price,
                at=at,
                volume=volume,
                bid=known.bid,
                ask=known.ask,
                bid_quantity=known.bid_quantity,
                ask_quantity=known.ask_quantity,
            )
        ]

    def _moment(self, value: object) -> datetime:
        """Read a msgpack timestamp, or the text that JSON clients get."""
        if isinstance(value, datetime):
            return value
        return moment(value) or self._clock()


def _control(message: Mapping[str, object]) -> News:
    kind = message.get("T")
    if kind == "success" and message.get("msg") == "authenticated":
        return Ready()
    if kind == "error":
        code = message.get("code")
        is_auth = code in _REFUSED_KEYS
        words = f"Alpaca: {str(message.get('msg'))[:200]} ({code})"
        return StreamError(words, is_fatal=is_auth or code in _FATAL, is_auth=code == 402)
    if isinstance(kind, str) and kind:
        # Subscriptions, bars, statuses, corrections: somebody is there.
        return Heartbeat()
    raise _Strange("it does not say what it is")


def _price(value: object) -> Decimal:
    """Return an exact price: Alpaca packs the shortest double of what was traded."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Strange(f"{value!r:.40} is not a price")
    found = Decimal(repr(value))
    if not found.is_finite() or found <= 0:
        raise _Strange(f"{value!r:.40} is not a price")
    return found


def _count(value: object) -> int:
    """Return whole shares; a trade of less than one counts as none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise _Strange(f"{value!r:.40} is not a number of shares")
    return int(value)


def _side(price: object, size: object) -> tuple[Decimal | None, int]:
    """Return the best price of a side and its size; 0 means that nobody quotes."""
    return (None, 0) if price in (0, None) else (_price(price), _count(size))


def _requests(action: str, symbols: list[str]) -> list[Frame]:
    return [
        _packed({"action": action, "trades": part, "quotes": part})
        for part in (symbols[at : at + _PER_FRAME] for at in range(0, len(symbols), _PER_FRAME))
    ]


def _packed(message: Mapping[str, object]) -> bytes:
    packed: bytes = msgpack.packb(dict(message))
    return packed

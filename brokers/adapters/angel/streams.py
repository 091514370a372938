"""Angel One's two sockets without I/O: prices in binary packets, order updates in JSON."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from brokers.adapters.angel.envelope import EnvelopeUnreadable, read_object
from brokers.adapters.angel.packets import SNAP_QUOTE, Packet, read_packet
from brokers.adapters.angel.rows import BROKER, naming, order_report
from brokers.adapters.angel.sending import exchange_of
from brokers.adapters.angel.subscribing import EXCHANGE_TYPES, subscription
from brokers.directory import RememberedKeys
from brokers.endpoints import socket_root_of
from brokers.gateway import InstrumentRef, QuoteTick
from brokers.rows import KeyOf
from brokers.streaming.news import order_news
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    Ready,
    StreamError,
    StreamKind,
    Ticks,
)
from brokers.values import Unreadable

NAME = "angel"
MARKET_ROOT, MARKET_PATH = "wss://smartapisocket.angelone.in", "/smart-stream"
ORDERS_ROOT, ORDERS_PATH = "wss://tns.angelone.in", "/smart-order-update"
_TOKENS_A_FRAME = 500
_CONNECTED = "AB00"
_AUTH_STATUSES = frozenset({"401", "403"})
_ERRORS = {
    "E1001": "Angel One did not understand a subscription",
    "E1002": "More instruments were asked for than one socket of Angel One carries (1,000)",
}


@dataclass
class MarketStream:
    """SmartWebSocketV2 in snap-quote mode: last price, best bid and ask, volume, open interest."""

    secrets: dict[str, str]
    credentials: dict[str, str]
    kind: StreamKind = StreamKind.MARKET
    heartbeat_every: float | None = 20.0  # Angel wants one within every 30 s
    stale_after: float = 50.0
    per_connection: int = 1000
    connections: int = 3
    is_greeted: bool = True
    _keys: dict[tuple[int, str], str] = field(default_factory=dict)
    _volumes: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self) -> str:
        return socket_root_of(NAME, real=MARKET_ROOT) + MARKET_PATH

    def headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.secrets.get('jwt', '')}",
            "x-api-key": self.credentials.get("api_key", ""),
            "x-client-code": self.credentials.get("client_code", ""),
            "x-feed-token": self.secrets.get("feed", ""),
        }

    def greeting(self) -> Sequence[Frame]:
        return ()

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        self._keys |= {_place(each): each.key for each in instruments if _is_numbered(each)}
        return self._frames(instruments, is_on=True)

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        for each in filter(_is_numbered, instruments):
            self._keys.pop(_place(each), None)
            self._volumes.pop(each.key, None)
        return self._frames(instruments, is_on=False)

    def heartbeat(self) -> Frame | None:
        return "ping"

    def parse(self, frame: Frame) -> Sequence[News]:
        if isinstance(frame, str):
            return (_heard(frame),)
        try:
            packet = read_packet(frame)
        except Unreadable as error:
            return (StreamError(f"Angel One's price stream sent {error}"),)
        tick = None if packet is None else self._tick(packet)
        return (Heartbeat(),) if tick is None else (Ticks((tick,)),)

    def _tick(self, packet: Packet) -> QuoteTick | None:
        """Return None for what nobody asked for, and for what comes after something newer."""
        key = self._keys.get((packet.exchange_type, packet.token))
        if key is None:
            return None
        seen_at, seen = self._volumes.get(key, (packet.at, packet.day_volume or 0))
        if packet.at < seen_at:
            return None
        day_volume = seen if packet.day_volume is None else packet.day_volume
        self._volumes[key] = (packet.at, day_volume)
        return QuoteTick(
            key=key,
            ltp=packet.last,
            at=packet.at,
            # A volume that fell is a new day's: what traded before it was seen is not told.
            volume=max(day_volume - seen, 0),
            bid=packet.bid,
            ask=packet.ask,
            bid_quantity=packet.bid_quantity,
            ask_quantity=packet.ask_quantity,
            open_interest=packet.open_interest or None,
        )

    def _frames(self, instruments: Sequence[InstrumentRef], *, is_on: bool) -> list[Frame]:
        known = [_place(each) for each in instruments if _is_numbered(each)]
        return [
            subscription(
                known[start : start + _TOKENS_A_FRAME],
                mode=SNAP_QUOTE,
                is_on=is_on,
                number=next(self._numbers),
            )
            for start in range(0, len(known), _TOKENS_A_FRAME)
        ]


@dataclass
class OrderStream:
    """Order updates; fills are not told one by one, the trade book has them."""

    secrets: dict[str, str]
    credentials: dict[str, str]
    key_of: KeyOf
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    kind: StreamKind = StreamKind.ORDERS
    heartbeat_every: float | None = 10.0
    stale_after: float = 35.0
    per_connection: int = 0
    connections: int = 3
    is_greeted: bool = False

    def url(self) -> str:
        return socket_root_of(NAME, real=ORDERS_ROOT) + ORDERS_PATH

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secrets.get('jwt', '')}"}

    def greeting(self) -> Sequence[Frame]:
        return ()

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return ()

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return ()

    def heartbeat(self) -> Frame | None:
        return "ping"

    def parse(self, frame: Frame) -> Sequence[News]:
        if frame in ("pong", b"pong"):
            return (Heartbeat(),)
        try:
            body = frame.encode() if isinstance(frame, str) else frame
            return (self._news(body),)
        except EnvelopeUnreadable as error:
            return (StreamError(f"Angel One's order stream sent what cannot be read: {error}"),)

    def _news(self, body: bytes) -> News:
        told = read_object(body)
        code, status = str(told.get("order-status", "")), str(told.get("status-code", ""))
        if status in _AUTH_STATUSES:
            return StreamError(
                "Angel One's order stream no longer knows the session", is_fatal=True, is_auth=True
            )
        if code == _CONNECTED:
            return Ready()
        row = told.get("orderData")
        if not isinstance(row, dict) or not row:
            return StreamError(f"Angel One's order stream: {str(told.get('error-message'))[:200]}")
        return order_news(
            row,
            lambda each: order_report(each, self.key_of, now=self.clock(), code=code),
            naming=naming(self.key_of),
            broker=BROKER,
        )


def open_stream(
    kind: StreamKind, *, secrets: dict[str, str], credentials: dict[str, str]
) -> MarketStream | OrderStream | None:
    """Return a new socket's protocol."""
    if kind is StreamKind.MARKET:
        return MarketStream(secrets, credentials)
    return OrderStream(secrets, credentials, RememberedKeys(NAME))


def _heard(frame: str) -> News:
    if frame == "pong":
        return Heartbeat()
    try:
        told = read_object(frame.encode())
    except EnvelopeUnreadable:
        return StreamError("Angel One's price stream sent text that cannot be read")
    code = str(told.get("errorCode", ""))
    words = _ERRORS.get(code, "Angel One's price stream complained")
    return StreamError(f"{words} ({code} {str(told.get('errorMessage', ''))[:200]})")


def _is_numbered(instrument: InstrumentRef) -> bool:
    return bool(instrument.token) and exchange_of(instrument) in EXCHANGE_TYPES


def _place(instrument: InstrumentRef) -> tuple[int, str]:
    return EXCHANGE_TYPES[exchange_of(instrument)], instrument.token

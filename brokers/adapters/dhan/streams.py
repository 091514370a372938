"""Dhan's two sockets: the market feed and the order updates. No I/O of its own."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from brokers.adapters.dhan import packets, words
from brokers.adapters.dhan.alerts import alert_news
from brokers.adapters.dhan.packets import Level, Packet, PacketUnreadable
from brokers.adapters.dhan.rows import Numbers
from brokers.adapters.dhan.words import Unsendable
from brokers.endpoints import socket_root_of
from brokers.gateway import InstrumentRef, QuoteTick
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    StreamError,
    StreamKind,
    StreamProtocol,
    Ticks,
)
from brokers.terms import InstrumentType

FEED = "wss://api-feed.dhan.co"
ORDER_FEED = "wss://api-order-update.dhan.co"
_SUBSCRIBE_TICKER, _SUBSCRIBE_FULL = 15, 21
_A_MESSAGE = 100
_LOGIN = 42
_REASONS = {
    805: "There are more than five connections to Dhan's feed",
    806: "This Dhan account has no subscription to the data API",
    807: "The login at Dhan has run out: log in again",
    808: "Dhan does not know this client: log in again",
    809: "Dhan does not accept this login: log in again",
    810: "Dhan does not know this client: log in again",
}
_AUTH_REASONS = (807, 808, 809, 810)
_NOBODY = Level(0, 0, 0, 0, 0.0, 0.0)


def open_stream(
    kind: StreamKind, *, secrets: Mapping[str, str], credentials: Mapping[str, str]
) -> StreamProtocol | None:
    """Return a new socket's protocol; the secrets of the session are all it needs."""
    if kind is StreamKind.MARKET:
        return MarketStream(secrets["client_id"], secrets["access_token"])
    return OrderStream(secrets["client_id"], secrets["access_token"])


@dataclass(slots=True)
class _Line:
    """What this socket knows of one instrument since it was opened."""

    instrument: InstrumentRef
    volume: int | None = None
    at: datetime | None = None
    open_interest: int | None = None


@dataclass(slots=True)
class MarketStream:
    """The market feed: full packets of what is traded, tickers of indices.

    Prices come as 32-bit floats of seven digits: each is rounded to the instrument's own tick.
    """

    client_id: str
    access_token: str = field(repr=False)
    kind: StreamKind = StreamKind.MARKET
    heartbeat_every: float | None = None  # the broker pings every 10 s, the library answers
    stale_after: float = 60.0
    per_connection: int = 5_000
    connections: int = 5
    is_greeted: bool = True
    _lines: dict[tuple[int, int], _Line] = field(default_factory=dict)

    def url(self) -> str:
        asked = {
            "version": "2",
            "token": self.access_token,
            "clientId": self.client_id,
            "authType": "2",
        }
        return f"{socket_root_of('dhan', real=FEED)}?{urlencode(asked)}"

    def headers(self) -> dict[str, str]:
        return {}

    def greeting(self) -> Sequence[Frame]:
        return ()

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        """Ask for instruments, 100 a message; what Dhan has no number for is left out."""
        known = [each for each in instruments if _place_of(each) is not None]
        for each in known:
            place = _place_of(each)
            if place is not None:
                self._lines[place] = _Line(each)
        return list(_requests(known, offset=0))

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        known = [each for each in instruments if _place_of(each) in self._lines]
        for each in known:
            self._lines.pop(_place_of(each) or (-1, -1), None)
        return list(_requests(known, offset=1))

    def heartbeat(self) -> Frame | None:
        return None

    def parse(self, frame: Frame) -> Sequence[News]:
        if isinstance(frame, str):
            return [StreamError(f"Dhan's feed said: {frame[:200]}")]
        heard: list[QuoteTick | StreamError | None] = []
        try:
            for packet in packets.read_packets(frame):
                is_end = packet.code == packets.DISCONNECT
                heard.append(_goodbye(packet) if is_end else self._tick(packet))
        except (PacketUnreadable, OverflowError, ValueError, OSError) as error:
            heard.append(StreamError(f"Dhan's feed could not be read: {error}"))
        ticks = tuple(each for each in heard if isinstance(each, QuoteTick))
        errors = [each for each in heard if isinstance(each, StreamError)]
        return [*([Ticks(ticks)] if ticks else []), *errors] or [Heartbeat()]

    def _tick(self, packet: Packet) -> QuoteTick | None:
        """Return None for what is no news: no trade yet, an old packet, not subscribed any more."""
        line = self._lines.get((packet.segment, packet.number))
        if line is None:
            return None
        if packet.open_interest is not None and packet.code != packets.PREVIOUS_CLOSE:
            line.open_interest = packet.open_interest
        if not packet.last or not packet.last_at:
            return None
        at = words.time_of_feed(packet.last_at)
        if line.at is not None and at < line.at:
            return None
        traded = _traded(line, packet, at)
        line.at = at
        last = _price(packet.last, line.instrument.tick_size)
        return _quote(line, packet, last=last, at=at, volume=traded)


@dataclass(slots=True)
class OrderStream:
    """Every order of the account, whoever placed it. Field names come in two spellings."""

    client_id: str
    access_token: str = field(repr=False)
    kind: StreamKind = StreamKind.ORDERS
    heartbeat_every: float | None = None
    stale_after: float = 900.0  # silent until an order changes
    per_connection: int = 0
    connections: int = 1
    is_greeted: bool = True
    _numbers: Numbers = field(default_factory=Numbers)

    def url(self) -> str:
        return socket_root_of("dhan", real=ORDER_FEED)

    def headers(self) -> dict[str, str]:
        return {}

    def greeting(self) -> Sequence[Frame]:
        login = {"MsgCode": _LOGIN, "ClientId": self.client_id, "Token": self.access_token}
        return [json.dumps({"LoginReq": login, "UserType": "SELF"})]

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return ()

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return ()

    def heartbeat(self) -> Frame | None:
        return None

    def parse(self, frame: Frame) -> Sequence[News]:
        try:
            text = frame if isinstance(frame, str) else frame.decode("utf-8")
            told = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            return [StreamError("Dhan's order update is not JSON")]
        if not isinstance(told, Mapping):
            return [StreamError("Dhan's order update is no object")]
        message = {str(name).lower(): value for name, value in told.items()}
        if message.get("type") != "order_alert":
            return [StreamError(f"Dhan's order feed said: {str(told)[:200]}")]
        return [alert_news(message.get("data"), self._numbers)]


def _place_of(instrument: InstrumentRef) -> tuple[int, int] | None:
    try:
        segment = words.SEGMENT_CODES[words.segment_of(instrument)]
        return segment, int(words.number_of(instrument))
    except Unsendable:
        return None


def _requests(instruments: Sequence[InstrumentRef], *, offset: int) -> Iterator[str]:
    """Word the messages; an unsubscription's code is the subscription's and one."""
    by_code = {
        _SUBSCRIBE_TICKER: [each for each in instruments if _is_index(each)],
        _SUBSCRIBE_FULL: [each for each in instruments if not _is_index(each)],
    }
    for code, wanted in by_code.items():
        for start in range(0, len(wanted), _A_MESSAGE):
            listed = [
                {"ExchangeSegment": words.segment_of(each), "SecurityId": each.token}
                for each in wanted[start : start + _A_MESSAGE]
            ]
            request = {
                "RequestCode": code + offset,
                "InstrumentCount": len(listed),
                "InstrumentList": listed,
            }
            yield json.dumps(request)


def _is_index(instrument: InstrumentRef) -> bool:
    return instrument.instrument_type is InstrumentType.INDEX


def _quote(line: _Line, packet: Packet, *, last: Decimal, at: datetime, volume: int) -> QuoteTick:
    best = packet.levels[0] if packet.levels else _NOBODY
    tick_size = line.instrument.tick_size
    return QuoteTick(
        key=line.instrument.key,
        ltp=last,
        at=at,
        volume=volume,
        bid=_price(best.bid, tick_size) if best.bid_quantity else None,
        ask=_price(best.ask, tick_size) if best.ask_quantity else None,
        bid_quantity=best.bid_quantity,
        ask_quantity=best.ask_quantity,
        open_interest=line.open_interest,
    )


def _traded(line: _Line, packet: Packet, at: datetime) -> int:
    """Return what traded since the packet before; of the first nobody knows, and of a day's
    first all of it."""
    if packet.volume is None:
        return 0
    before, line.volume = line.volume, packet.volume
    if before is None:
        return 0
    if line.at is not None and at.date() > line.at.date():
        return packet.volume
    return max(packet.volume - before, 0)


def _price(told: float, tick_size: Decimal) -> Decimal:
    """Undo the float: the nearest multiple of the tick is what was meant."""
    exact = Decimal(repr(told))
    if tick_size <= 0:
        return exact.quantize(Decimal("0.01"))
    return ((exact / tick_size).to_integral_value() * tick_size).quantize(tick_size)


def _goodbye(packet: Packet) -> StreamError:
    reason = packet.reason or 0
    told = _REASONS.get(reason, "Dhan closed the feed")
    return StreamError(f"{told} ({reason})", is_fatal=True, is_auth=reason in _AUTH_REASONS)

"""Kite's ticker socket, without I/O: prices in binary packets, orders in text frames.

One socket carries both. Orders of the user come on every socket, from whatever app they were
placed, and without asking.
"""

import json
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from brokers.adapters.kite.places import BROKER_NAME, SOCKET
from brokers.adapters.kite.reports import BROKER, naming, order_report
from brokers.adapters.kite.sdk import KiteTicker, PacketParser
from brokers.directory import RememberedKeys
from brokers.endpoints import socket_root_of
from brokers.gateway import InstrumentRef, QuoteTick
from brokers.rows import KeyOf
from brokers.streaming.news import order_news
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    StreamError,
    StreamKind,
    Ticks,
)
from brokers.venue import IST

PER_CONNECTION, CONNECTIONS = 3000, 3
# A byte comes every second even when nothing trades.
STALE_AFTER = 10.0
_PER_FRAME = 500
_LARGEST_FRAME = 1 << 20
_LENGTHS = frozenset({8, 28, 32, 44, 184})
_SILENT_TYPES = frozenset({"message", "instruments_meta"})
_ABOUT_SESSION = re.compile(r"access_token|api_key|session", re.IGNORECASE)


def open_stream(
    kind: StreamKind, *, secrets: dict[str, str], credentials: dict[str, str]
) -> "KiteStream":
    return KiteStream(kind, secrets=secrets)


def _now() -> datetime:
    return datetime.now(UTC)


class KiteStream:
    """One socket. Ticks are told where it is for prices, orders where it is for orders."""

    heartbeat_every: float | None = None
    stale_after = STALE_AFTER
    per_connection = PER_CONNECTION
    connections = CONNECTIONS
    is_greeted = True

    def __init__(
        self,
        kind: StreamKind,
        *,
        secrets: dict[str, str],
        key_of: KeyOf | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.kind = kind
        self._secrets = secrets
        self._key_of = key_of or RememberedKeys(BROKER_NAME)
        self._clock = clock
        self._parser = PacketParser()
        self._keys: dict[int, str] = {}
        self._volumes: dict[int, tuple[date, int]] = {}

    def url(self) -> str:
        names = ("api_key", "access_token")
        query = urlencode({name: self._secrets.get(name, "") for name in names})
        return f"{socket_root_of(BROKER_NAME, real=SOCKET)}/?{query}"

    def headers(self) -> dict[str, str]:
        return {"X-Kite-Version": "3"}

    def greeting(self) -> Sequence[Frame]:
        return ()

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        """Ask for full packets, the only ones that tell their time and the best prices."""
        tokens = _tokens(instruments)
        self._keys |= tokens
        return [
            frame
            for part in _parts(list(tokens))
            for frame in (
                _request(KiteTicker._message_subscribe, part),
                _request(KiteTicker._message_setmode, [KiteTicker.MODE_FULL, part]),
            )
        ]

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        tokens = list(_tokens(instruments))
        for token in tokens:
            self._keys.pop(token, None)
            self._volumes.pop(token, None)
        return [_request(KiteTicker._message_unsubscribe, part) for part in _parts(tokens)]

    def heartbeat(self) -> Frame | None:
        return None

    def parse(self, frame: Frame) -> Sequence[News]:
        if len(frame) > _LARGEST_FRAME:
            return [StreamError(f"A frame of {len(frame)} bytes is beyond anything Kite sends")]
        if isinstance(frame, str):
            return self._read_text(frame)
        if len(frame) == 1:
            return [Heartbeat()]
        return self._read_packets(frame)

    def _read_packets(self, frame: bytes) -> Sequence[News]:
        lengths = packet_lengths(frame)
        if lengths is None:
            return [StreamError(f"A frame of {len(frame)} bytes was cut off")]
        strange = [length for length in lengths if length not in _LENGTHS]
        errors = [StreamError(f"Packets of unknown lengths: {strange[:5]}")] if strange else []
        if self.kind is not StreamKind.MARKET or not lengths:
            return [*errors, Heartbeat()]
        # A packet too short to name an instrument would end the SDK's reading of the others.
        if any(length < 4 for length in strange):
            return errors
        ticks = [self._tick(told) for told in self._parser.read(frame)]
        return [*errors, Ticks(tuple(tick for tick in ticks if tick is not None))]

    def _tick(self, told: dict[str, Any]) -> QuoteTick | None:
        """Return a tick, None for what was not asked for or has no price."""
        token, price = int(told["instrument_token"]), told["last_price"]
        if token not in self._keys or price <= 0:
            return None
        bid, ask = _best(told, "buy"), _best(told, "sell")
        at, interest = _time_in(told) or self._clock(), told.get("oi")
        return QuoteTick(
            key=self._keys[token],
            ltp=price,
            at=at,
            volume=self._traded(token, told.get("volume_traded"), at=at),
            bid=bid[0],
            ask=ask[0],
            bid_quantity=bid[1],
            ask_quantity=ask[1],
            open_interest=int(interest) if interest else None,
        )

    def _traded(self, token: int, total: int | None, *, at: datetime) -> int:
        """Return what traded since the last tick, nothing for the first.

        Within a day the total only grows: a lower one is of a frame that was overtaken.
        """
        if total is None:
            return 0
        day = at.astimezone(IST).date()
        known = self._volumes.get(token)
        before = known[1] if known is not None and known[0] == day else 0
        self._volumes[token] = (day, max(int(total), before))
        return 0 if known is None else max(int(total) - before, 0)

    def _read_text(self, frame: str) -> Sequence[News]:
        try:
            told = json.loads(frame, parse_float=Decimal)
        except (ValueError, RecursionError):
            return [StreamError("A text frame that is not JSON")]
        kind = told.get("type") if isinstance(told, dict) else None
        if kind == "order" and isinstance(told.get("data"), dict):
            return self._read_order(told["data"])
        if kind == "error":
            words = str(told.get("data"))
            # Too many sockets, or the end of trading, speak of them too: a call has to tell.
            return [StreamError(f"Kite: {words}", is_doubtful=bool(_ABOUT_SESSION.search(words)))]
        if kind in _SILENT_TYPES:
            return [Heartbeat()]
        return [StreamError(f"A text frame of unknown type: {str(kind)[:40]}")]

    def _read_order(self, row: dict[str, Any]) -> Sequence[News]:
        if self.kind is not StreamKind.ORDERS:
            return [Heartbeat()]
        key_of, at = self._key_of, self._clock()
        return [
            order_news(
                row,
                lambda each: order_report(each, key_of=key_of, at=at),
                naming=naming(key_of),
                broker=BROKER,
            )
        ]


def packet_lengths(frame: bytes) -> list[int] | None:
    """Return the lengths of a frame's packets, None where they and the frame do not agree.

    The SDK does not look: the stump of a long packet can pass for a whole short one.
    """
    if len(frame) < 2:
        return None
    (count,) = struct.unpack_from(">H", frame)
    lengths, position = list[int](), 2
    for _ in range(count):
        if position + 2 > len(frame):
            return None
        (length,) = struct.unpack_from(">H", frame, position)
        lengths.append(length)
        position += 2 + length
    return lengths if position == len(frame) else None


def _time_in(told: dict[str, Any]) -> datetime | None:
    """Return the exchange's time; an instrument that has not traded yet tells second 0."""
    for name in ("exchange_timestamp", "last_trade_time"):
        at: datetime | None = told.get(name)
        if at is not None and at.timestamp() > 0:
            return at
    return None


def _best(told: dict[str, Any], side: str) -> tuple[Decimal | None, int]:
    levels = told.get("depth", {}).get(side, ())
    if not levels or levels[0]["price"] <= 0:
        return None, 0
    return levels[0]["price"], int(levels[0]["quantity"])


def _tokens(instruments: Sequence[InstrumentRef]) -> dict[int, str]:
    """Return keys by Kite's numbers; what Kite has no number for cannot be asked for."""
    return {int(each.token): each.key for each in instruments if each.token.isdecimal()}


def _parts(tokens: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(tokens), _PER_FRAME):
        yield tokens[start : start + _PER_FRAME]


def _request(action: str, value: object) -> str:
    return json.dumps({"a": action, "v": value})

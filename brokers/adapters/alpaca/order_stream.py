"""Alpaca's order updates: JSON in binary frames, one order a frame.

Fills are told as what they make of the order, not as trades: the number that a fill has here is
not known to be the one that it has in the account's activities, and none may be booked twice.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from brokers.adapters.alpaca.chains import LONGEST, changed_at, fold
from brokers.adapters.alpaca.client import Keys
from brokers.adapters.alpaca.endpoints import BROKER_NAME, trading_socket
from brokers.adapters.alpaca.reports import BROKER, KeyOf, naming, order_report
from brokers.adapters.alpaca.words import EXCHANGE, REPLACED
from brokers.directory import key_at
from brokers.gateway import InstrumentRef, OrderReport
from brokers.rows import named
from brokers.streaming.protocol import (
    Frame,
    Heartbeat,
    News,
    OrderNews,
    Ready,
    StreamError,
    StreamKind,
)
from brokers.values import Row, Unreadable, required, text

_LARGEST_FRAME = 1 << 20
_REMEMBERED = 5000
_STREAM = "trade_updates"
_LISTEN = json.dumps({"action": "listen", "data": {"streams": [_STREAM]}})


def _now() -> datetime:
    return datetime.now(UTC)


def _key_of(symbol: str) -> str:
    return key_at(BROKER_NAME, exchange=EXCHANGE, token=symbol)


class OrderStream:
    """One socket. It remembers the orders it has heard of, to know what replaced what.

    Orders ask the directory which instrument they mean: read frames where that may wait.
    """

    kind: StreamKind = StreamKind.ORDERS
    # Asking to listen once more changes nothing and is answered: that proves that the socket lives,
    # and asks again where the first asking came too early.
    heartbeat_every: float | None = 10.0
    stale_after = 45.0
    per_connection = 10_000
    connections = 1
    is_greeted = False

    def __init__(
        self, keys: Keys, *, key_of: KeyOf = _key_of, clock: Callable[[], datetime] = _now
    ) -> None:
        self._keys = keys
        self._key_of = key_of
        self._clock = clock
        self._heard: OrderedDict[str, Row] = OrderedDict()
        self._is_let_in = False

    def url(self) -> str:
        return trading_socket(self._keys.environment)

    def headers(self) -> dict[str, str]:
        return {}

    def greeting(self) -> Sequence[Frame]:
        data = {"key_id": self._keys.key, "secret_key": self._keys.secret}
        return [json.dumps({"action": "authenticate", "data": data}), _LISTEN]

    def subscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return ()

    def unsubscribe(self, instruments: Sequence[InstrumentRef]) -> Sequence[Frame]:
        return ()

    def heartbeat(self) -> Frame | None:
        return _LISTEN

    def parse(self, frame: Frame) -> Sequence[News]:
        if len(frame) > _LARGEST_FRAME:
            return [StreamError(f"A frame of {len(frame)} bytes is beyond anything Alpaca sends")]
        try:
            told = json.loads(frame, parse_float=Decimal)
        except (ValueError, RecursionError):
            return [StreamError("A frame that is not JSON")]
        data = told.get("data") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(data, dict):
            return [StreamError("A frame that is not a message of Alpaca's")]
        return self._read(told.get("stream"), data)

    def _read(self, stream: object, data: Row) -> Sequence[News]:
        if stream == "authorization":
            return self._read_authorization(data)
        if stream == "listening":
            return self._read_listening(data)
        if stream == _STREAM:
            return self._read_update(data)
        return [StreamError(f"A frame of an unknown stream: {str(stream)[:40]}")]

    def _read_authorization(self, data: Row) -> Sequence[News]:
        if data.get("status") == "authorized":
            return [Heartbeat()]
        if data.get("action") != "authenticate":
            return [StreamError("Alpaca does not listen yet: it is asked again")]
        words = "Alpaca refused the keys on its order stream"
        return [StreamError(words, is_fatal=True, is_auth=True)]

    def _read_listening(self, data: Row) -> Sequence[News]:
        streams = data.get("streams")
        if not isinstance(streams, list) or _STREAM not in streams:
            return [StreamError("Alpaca tells no order updates on this socket yet")]
        if self._is_let_in:
            return [Heartbeat()]
        self._is_let_in = True
        return [Ready()]

    def _read_update(self, data: Row) -> Sequence[News]:
        row = data.get("order")
        if not isinstance(row, dict):
            return [StreamError("An order update without its order")]
        try:
            self._remember(row)
            report = self._report(required(row, "id"))
        except Unreadable as error:
            words = f"{BROKER}'s order update cannot be read: {error}"
            about = named(row, words, naming=naming(self._key_of))
            return [StreamError(f"{about.name}: {words}")]
        return [Heartbeat()] if report is None else [OrderNews((report,))]

    def _remember(self, row: Row) -> None:
        """Keep the newest row of each order; a frame that comes late changes nothing."""
        order_id = required(row, "id")
        known = self._heard.get(order_id)
        if known is None or changed_at(row) >= changed_at(known):
            self._heard[order_id] = row
        self._heard.move_to_end(order_id)
        while len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)

    def _report(self, order_id: str) -> OrderReport | None:
        """Return the whole chain's state; None while the order that counts is not known yet.

        :raises Unreadable: when the chain began before this socket did.
        """
        first = self._first(self._heard[order_id])
        chain = self._chain(first)
        if chain is None:
            return None
        if first.get("replaces"):
            # What filled of the order before is not known here, and a report without it would
            # tell too little: the book is read instead.
            raise Unreadable("it replaces an order that was not heard of here")
        return order_report(fold(chain), key_of=self._key_of, at=self._clock())

    def _first(self, row: Row) -> Row:
        """Return the first order of the chain that was heard of."""
        for _ in range(LONGEST):
            before = self._heard.get(text(row.get("replaces")))
            if before is None:
                return row
            row = before
        raise Unreadable("orders replace one another in a circle")

    def _chain(self, first: Row) -> list[Row] | None:
        chain = [first]
        while chain[-1].get("status") == REPLACED:
            following = self._heard.get(text(chain[-1].get("replaced_by")))
            if following is None or len(chain) == LONGEST:
                return None
            chain.append(following)
        return chain

"""Alpaca's two websockets: order updates as JSON in binary frames, prices as msgpack."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from brokers.simulator.alpaca.answers import AlpacaError, plain, stamp, text
from brokers.simulator.alpaca.chains import Told
from brokers.simulator.alpaca.desk import CLIENT, AlpacaDesk
from brokers.simulator.alpaca.rows import order_row
from brokers.simulator.exchange import SimEvent, TickEvent
from brokers.simulator.records import SimQuote
from brokers.simulator.wire import Connection, Frame, Hub

msgpack: Any = import_module("msgpack")  # it comes without types
ORDERS, PRICES = "trade_updates", "market_data"
MOST_FREE_SYMBOLS = 30
_CHANNELS = ("trades", "quotes", "bars")
_EMPTY_CHANNELS = ("updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors")


class OrderSocket:
    """``/stream``: authenticate, listen, and every change of every order of the account."""

    def __init__(self, desk: AlpacaDesk) -> None:
        self._desk = desk
        self.hub = Hub(ORDERS, desk.faults)
        desk.chains.listen(self._tell)

    def route(self) -> WebSocketRoute:
        return WebSocketRoute("/stream", self._serve)

    async def _serve(self, socket: WebSocket) -> None:
        await self.hub.serve(socket, client=CLIENT, on_message=self._on_message)

    async def _on_message(self, connection: Connection, frame: Frame) -> None:
        try:
            told = json.loads(frame)
            action, data = told["action"], told["data"]
        except (ValueError, KeyError, TypeError):
            connection.close(1002, "invalid message")
            return
        if action == "authenticate":
            self._authenticate(connection, data)
        elif action == "listen" and connection.state.get("is_in"):
            streams = [each for each in data.get("streams", []) if each == ORDERS]
            connection.state["is_listening"] = bool(streams)
            connection.send(_json({"stream": "listening", "data": {"streams": streams}}))
        else:
            connection.send(_refusal(action))

    def _authenticate(self, connection: Connection, data: Mapping[str, str]) -> None:
        try:
            self._desk.client_at(data.get("key_id", ""), data.get("secret_key", ""))
        except AlpacaError:
            connection.send(_refusal("authenticate"))
            connection.close(1008, "unauthorized")
            return
        connection.state["is_in"] = True
        words = {"status": "authorized", "action": "authenticate"}
        connection.send(_json({"stream": "authorization", "data": words}))

    def _tell(self, told: Told) -> None:
        if told.order.client != CLIENT:
            return
        frame = _json({"stream": ORDERS, "data": self._data(told)})
        self.hub.publish(lambda each: [frame] if each.state.get("is_listening") else [])

    def _data(self, told: Told) -> dict[str, object]:
        data: dict[str, object] = {
            "event": told.event,
            "timestamp": stamp(told.order.updated_at),
            "order": order_row(told.order, told.link),
            "event_id": f"{told.order.order_id}:{told.order.sequence}",
        }
        if told.trade is not None:
            data |= {
                "execution_id": f"00000000-0000-4000-8000-{int(told.trade.trade_id):012d}",
                "price": text(told.trade.price),
                "qty": text(told.trade.quantity),
                "position_qty": text(told.trade.quantity),
            }
        return data


class PriceSocket:
    """``/v2/{feed}``: one connection alone, all in msgpack, thirty symbols with the free feed."""

    def __init__(self, desk: AlpacaDesk) -> None:
        self._desk = desk
        self.hub = Hub(PRICES, desk.faults)
        self._numbers = itertools.count(1)
        desk.broker.subscribe(self._hear)

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute(f"/v2/{feed}", self._serve) for feed in ("iex", "sip", "test")]

    async def _serve(self, socket: WebSocket) -> None:
        is_taken = bool(self.hub.connections())

        async def on_open(connection: Connection) -> None:
            connection.state["feed"] = socket.url.path.rpartition("/")[2]
            connection.send(_packed([{"T": "success", "msg": "connected"}]))
            if is_taken:
                connection.send(_error(406, "connection limit exceeded"))
                connection.close(1008, "connection limit exceeded")

        try:
            await self.hub.serve(
                socket, client=CLIENT, on_message=self._on_message, on_open=on_open
            )
        except asyncio.CancelledError:
            return

    async def _on_message(self, connection: Connection, frame: Frame) -> None:
        told = _unpacked(frame)
        action = told.get("action")
        if action == "auth":
            self._authenticate(connection, told)
        elif not connection.state.get("is_in"):
            connection.send(_error(401, "not authenticated"))
        elif action in ("subscribe", "unsubscribe"):
            self._subscribe(connection, str(action), told)
        else:
            connection.send(_error(400, "invalid syntax"))

    def _authenticate(self, connection: Connection, told: Mapping[str, object]) -> None:
        if connection.state.get("is_in"):
            connection.send(_error(403, "already authenticated"))
            return
        try:
            self._desk.client_at(str(told.get("key")), str(told.get("secret")))
        except AlpacaError:
            connection.send(_error(402, "auth failed"))
            connection.close(1008, "auth failed")
            return
        connection.state["is_in"] = True
        connection.send(_packed([{"T": "success", "msg": "authenticated"}]))

    def _subscribe(self, connection: Connection, action: str, told: Mapping[str, object]) -> None:
        wanted = {name: _wanted(connection, name) for name in _CHANNELS}
        for name in _CHANNELS:
            asked = told.get(name)
            names = {str(each) for each in asked} if isinstance(asked, list) else set()
            wanted[name] = wanted[name] | names if action == "subscribe" else wanted[name] - names
        most = MOST_FREE_SYMBOLS if connection.state.get("feed") == "iex" else 10_000
        if len(set().union(*wanted.values())) > most:
            connection.send(_error(405, "symbol limit exceeded"))
            return
        connection.state["wanted"] = wanted
        told_back = {name: sorted(wanted[name]) for name in _CHANNELS}
        empty: dict[str, list[str]] = {name: [] for name in _EMPTY_CHANNELS}
        connection.send(_packed([{"T": "subscription", **told_back, **empty}]))

    def _hear(self, event: SimEvent) -> None:
        if isinstance(event, TickEvent):
            number = next(self._numbers)
            self.hub.publish(lambda each: _price_frames(each, event.quote, number))


def _price_frames(connection: Connection, quote: SimQuote, number: int) -> list[Frame]:
    symbol, messages = quote.instrument.symbol, list[dict[str, object]]()
    if symbol in _wanted(connection, "quotes") and quote.bids and quote.asks:
        messages.append(_quote(quote))
    if symbol in _wanted(connection, "trades"):
        messages.append(_trade(quote, number))
    return [_packed(messages)] if messages else []


def _trade(quote: SimQuote, number: int) -> dict[str, object]:
    return {
        "T": "t", "S": quote.instrument.symbol, "i": number, "x": "V", "p": quote.last_price,
        "s": quote.last_quantity, "c": ["@"], "t": quote.at, "z": "C",
    }  # fmt: skip


def _quote(quote: SimQuote) -> dict[str, object]:
    bid, ask = quote.bids[0], quote.asks[0]
    return {
        "T": "q", "S": quote.instrument.symbol, "ax": "V", "ap": ask.price, "as": ask.quantity,
        "bx": "V", "bp": bid.price, "bs": bid.quantity, "c": ["R"], "t": quote.at, "z": "C",
    }  # fmt: skip


def _wanted(connection: Connection, name: str) -> set[str]:
    wanted = connection.state.get("wanted")
    return set(wanted[name]) if isinstance(wanted, dict) else set()


def _unpacked(frame: Frame) -> Mapping[str, object]:
    try:
        told = msgpack.unpackb(frame) if isinstance(frame, bytes) else json.loads(frame)
    except (ValueError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}


def _packed(messages: object) -> bytes:
    packed: bytes = msgpack.packb(plain(messages), datetime=True)
    return packed


def _error(code: int, words: str) -> bytes:
    return _packed([{"T": "error", "code": code, "msg": words}])


def _json(told: object) -> bytes:
    """Write JSON into a binary frame, as Alpaca's paper trading does."""
    return json.dumps(told, default=_written).encode()


def _refusal(action: object) -> bytes:
    words = {"status": "unauthorized", "action": action}
    return _json({"stream": "authorization", "data": words})


def _written(value: object) -> object:
    return stamp(value) if isinstance(value, datetime) else str(value)

"""SmartAPI's two sockets: the binary price stream and the order updates in JSON."""

import itertools
import json
from collections.abc import Mapping

from starlette.responses import Response
from starlette.websockets import WebSocket

from brokers.simulator.angel.answers import Refuse
from brokers.simulator.angel.packets import DEPTH, LTP, packet
from brokers.simulator.angel.rows import Row, order_row
from brokers.simulator.angel.sessions import API_KEY, Session, Sessions
from brokers.simulator.angel.symbols import EXCHANGE_TYPES
from brokers.simulator.exchange import OrderEvent, SimQuote, SimulatedBroker, TickEvent
from brokers.simulator.faults import Faults
from brokers.simulator.records import OrderState, SimEvent
from brokers.simulator.wire import GOING_DOWN, Connection, Frame, Hub

MARKET, ORDERS = "smart-stream", "smart-order-update"
MOST_CONNECTIONS = 3
MOST_SUBSCRIPTIONS = 1000
_DEPTH_A_REQUEST = 50
_EXCHANGES = {kind: exchange for exchange, kind in EXCHANGE_TYPES.items()}
_CODES = {
    OrderState.RECEIVED: "AB09",
    OrderState.VALIDATING: "AB09",
    OrderState.OPEN_PENDING: "AB09",
    OrderState.OPEN: "AB01",
    OrderState.PARTIAL: "AB01",
    OrderState.CANCEL_PENDING: "AB01",
    OrderState.CANCELLED: "AB02",
    OrderState.EXPIRED: "AB02",
    OrderState.REJECTED: "AB03",
    OrderState.COMPLETE: "AB05",
    OrderState.AMO_RECEIVED: "AB06",
    OrderState.TRIGGER_PENDING: "AB10",
    OrderState.MODIFY_PENDING: "AB11",
}
_NOT_IN_STREAM = ("uniqueorderid", "exchangeorderid")
_Place = tuple[int, str]


class _Denied(Exception):
    """The handshake ends with a status and the words of a header."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class PriceStream:
    """wss://smartapisocket.angelone.in/smart-stream"""

    def __init__(self, broker: SimulatedBroker, sessions: Sessions, faults: Faults) -> None:
        self._broker = broker
        self._sessions = sessions
        self._hub = Hub(MARKET, faults)
        self._numbers = itertools.count(1)

    async def serve(self, socket: WebSocket) -> None:
        session = await _admitted(socket, self._sessions, self._hub, is_market=True)
        if session is not None:
            await self._hub.serve(socket, client=session.client, on_message=self._heard)

    def hear(self, event: SimEvent) -> None:
        if isinstance(event, TickEvent):
            self._hub.publish(lambda connection: self._packets(connection, event.quote))

    def close(self, client: str | None) -> None:
        self._hub.close_all(1000, "Session expired", client=client)

    def forget(self) -> None:
        """Hang up, and number packets from 1 again."""
        self._hub.close_all(*GOING_DOWN)
        self._numbers = itertools.count(1)

    async def _heard(self, connection: Connection, frame: Frame) -> None:
        if frame == "ping":
            connection.send("pong")
            return
        asked = _asked(frame)
        if asked is None:
            connection.send(_error(frame, "E1001", "Invalid Request Payload."))
            return
        mode, is_on, places = asked
        held = _held(connection)
        if not is_on:
            held.difference_update((place, mode) for place in places)
            return
        wanted = {(place, mode) for place in places}
        if len(held | wanted) > MOST_SUBSCRIPTIONS:
            words = "Invalid Request. Subscription Limit Exceeded"
            connection.send(_error(frame, "E1002", words))
            return
        held |= wanted
        for place in places:
            self._first(connection, place, mode)

    def _first(self, connection: Connection, place: _Place, mode: int) -> None:
        known = {each.token: each for each in self._broker.instruments()}
        instrument = known.get(place[1])
        if instrument is not None and instrument.exchange == _EXCHANGES.get(place[0]):
            quote = self._broker.quote(place[1])
            connection.send(packet(quote, mode=mode, sequence=next(self._numbers)), is_feed=True)

    def _packets(self, connection: Connection, quote: SimQuote) -> list[Frame]:
        place = (EXCHANGE_TYPES.get(quote.instrument.exchange, 0), quote.instrument.token)
        modes = [mode for each, mode in set(_held(connection)) if each == place]
        number = next(self._numbers)
        return [packet(quote, mode=mode, sequence=number) for mode in modes]


class OrderStream:
    """wss://tns.angelone.in/smart-order-update"""

    def __init__(self, sessions: Sessions, faults: Faults) -> None:
        self._sessions = sessions
        self._hub = Hub(ORDERS, faults)

    async def serve(self, socket: WebSocket) -> None:
        session = await _admitted(socket, self._sessions, self._hub, is_market=False)
        if session is not None:
            await self._hub.serve(
                socket, client=session.client, on_message=_answer_ping, on_open=_greet
            )

    def hear(self, event: SimEvent) -> None:
        if not isinstance(event, OrderEvent):
            return
        order = event.order
        row = order_row(order)
        message = _order_message(order.client, _CODES[order.state], row)
        self._hub.publish(lambda connection: [message] if connection.client == order.client else [])

    def close(self, client: str | None) -> None:
        self._hub.close_all(1000, "Session expired", client=client)

    def forget(self) -> None:
        self._hub.close_all(*GOING_DOWN)


async def _greet(connection: Connection) -> None:
    connection.send(_order_message(connection.client, "AB00", {}))


async def _answer_ping(connection: Connection, frame: Frame) -> None:
    if frame == "ping":
        connection.send("pong")


async def _admitted(
    socket: WebSocket, sessions: Sessions, hub: Hub, *, is_market: bool
) -> Session | None:
    """Return whose socket it is, or refuse the handshake the broker's way."""
    try:
        session = _session_of(socket, sessions, is_market=is_market)
        if len(hub.connections(session.client)) >= MOST_CONNECTIONS:
            raise _Denied(429, "Connection Limit Exceeded")
    except _Denied as denied:
        headers = {"x-error-message": denied.words}
        await socket.send_denial_response(Response(status_code=denied.status, headers=headers))
        return None
    return session


def _session_of(socket: WebSocket, sessions: Sessions, *, is_market: bool) -> Session:
    """:raises _Denied: when the handshake names no session, or not all of it."""
    query = socket.query_params
    token = socket.headers.get("authorization", "").removeprefix("Bearer ").strip()
    try:
        session = _by_feed(sessions, query) if "feedToken" in query else sessions.by_jwt(token)
    except Refuse as refuse:
        is_forbidden = refuse.code == "AG8002" and not is_market
        words = "Invalid Header - Invalid Auth token"
        raise _Denied(403 if is_forbidden else 401, words) from refuse
    if is_market and not query and (words := _header_fault(socket.headers, session)):
        raise _Denied(401, words)
    return session


def _by_feed(sessions: Sessions, query: Mapping[str, str]) -> Session:
    return sessions.by_jwt(query["feedToken"].replace("feed-", "jwt-", 1))


def _header_fault(headers: Mapping[str, str], session: Session) -> str:
    wanted = (
        ("x-api-key", API_KEY, "API Key"),
        ("x-client-code", session.client, "Client Code"),
        ("x-feed-token", session.feed, "Feed Token"),
    )
    for name, value, words in wanted:
        if headers.get(name) != value:
            return f"Invalid Header - Invalid {words}"
    return ""


def _asked(frame: Frame) -> tuple[int, bool, list[_Place]] | None:
    try:
        asked = json.loads(frame)
        mode, action = int(asked["params"]["mode"]), int(asked["action"])
        places = [
            (int(each["exchangeType"]), str(token))
            for each in asked["params"]["tokenList"]
            for token in each["tokens"]
        ]
    except (ValueError, TypeError, KeyError):
        return None
    is_known = LTP <= mode <= DEPTH and action in (0, 1)
    is_deep = mode == DEPTH
    too_deep = len(places) > _DEPTH_A_REQUEST or any(kind != 1 for kind, _ in places)
    return None if not is_known or (is_deep and too_deep) else (mode, action == 1, places)


def _error(frame: Frame, code: str, words: str) -> str:
    try:
        said = json.loads(frame)
        correlation = said.get("correlationID", "") if isinstance(said, dict) else ""
    except ValueError:
        correlation = ""
    return json.dumps({"correlationID": correlation, "errorCode": code, "errorMessage": words})


def _held(connection: Connection) -> set[tuple[_Place, int]]:
    held = connection.state.setdefault("held", set())
    return held if isinstance(held, set) else set()


def _order_message(client: str, code: str, row: Row) -> str:
    shown = {name: value for name, value in row.items() if name not in _NOT_IN_STREAM}
    return json.dumps(
        {
            "user-id": client,
            "status-code": "200",
            "order-status": code,
            "error-message": "",
            "orderData": shown,
        }
    )

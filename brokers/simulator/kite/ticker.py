"""Kite's websocket: prices in packets to those who asked, every order to its client."""

import asyncio
import json

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from brokers.simulator.exchange import OrderEvent, SimEvent, TickEvent
from brokers.simulator.faults import FaultName, Faults
from brokers.simulator.kite.answers import KiteError, plain
from brokers.simulator.kite.desk import KiteDesk
from brokers.simulator.kite.listing import kite_token
from brokers.simulator.kite.packets import FULL, HEARTBEAT, LTP, QUOTE, frame, packet
from brokers.simulator.kite.rows import postback_row
from brokers.simulator.records import OrderState, SimOrder
from brokers.simulator.wire import GOING_DOWN, Connection, Frame, Hub

NAME = "ticker"
BEAT_SECONDS = 1.0
MOST_INSTRUMENTS, MOST_CONNECTIONS = 3000, 3
# Steps on the way to the exchange are not told.
_UNTOLD = frozenset(
    {
        OrderState.RECEIVED,
        OrderState.VALIDATING,
        OrderState.OPEN_PENDING,
        OrderState.MODIFY_PENDING,
        OrderState.CANCEL_PENDING,
    }
)


class Ticker:
    """One hub for all sockets; each knows which instruments it wants, and how much of them."""

    def __init__(self, desk: KiteDesk) -> None:
        self._desk = desk
        self.hub = Hub(NAME, desk.faults)
        desk.broker.subscribe(self._hear)
        desk.forgetting.append(lambda: self.hub.close_all(*GOING_DOWN))

    def route(self) -> WebSocketRoute:
        return WebSocketRoute("/", self._serve)

    async def _serve(self, socket: WebSocket) -> None:
        asked = socket.query_params
        try:
            client = self._desk.sessions.client_at(
                asked.get("api_key", ""), asked.get("access_token", "")
            )
        except KiteError:
            await socket.close()  # before it was accepted: the handshake ends with 403
            return
        if len(self.hub.connections(client)) >= MOST_CONNECTIONS:
            await socket.close()
            return
        beats: list[asyncio.Task[None]] = []

        async def on_open(connection: Connection) -> None:
            beats.append(asyncio.create_task(_beat(connection, self._desk.faults)))

        try:
            await self.hub.serve(
                socket, client=client, on_message=self._on_message, on_open=on_open
            )
        finally:
            for beat in beats:
                beat.cancel()
            await asyncio.gather(*beats, return_exceptions=True)

    async def _on_message(self, connection: Connection, message: Frame) -> None:
        try:
            told = json.loads(message)
            action, value = told["a"], told["v"]
            modes, tokens = _read(action, value, _modes(connection))
        except (ValueError, KeyError, TypeError):
            connection.send(json.dumps({"type": "error", "data": "Invalid request"}))
            return
        if len(modes) > MOST_INSTRUMENTS:
            words = f"At most {MOST_INSTRUMENTS} instruments a connection"
            connection.send(json.dumps({"type": "error", "data": words}))
            return
        connection.state["modes"] = modes
        packets = [self._packet(token, modes[token]) for token in tokens if token in modes]
        if known := [each for each in packets if each is not None]:
            connection.send(frame(known), is_feed=True)

    def _packet(self, token: int, mode: str) -> bytes | None:
        instrument = self._desk.listing.numbered(token)
        return packet(self._desk.broker.quote(instrument.token), mode) if instrument else None

    def _hear(self, event: SimEvent) -> None:
        if isinstance(event, TickEvent):
            token = kite_token(event.quote.instrument)

            def ticks(connection: Connection) -> list[Frame]:
                mode = _modes(connection).get(token)
                return [frame([packet(event.quote, mode)])] if mode else []

            self.hub.publish(ticks)
        elif isinstance(event, OrderEvent) and event.order.state not in _UNTOLD:
            self._tell(event.order)

    def _tell(self, order: SimOrder) -> None:
        told = json.dumps({"type": "order", "data": plain(postback_row(order))})
        self.hub.publish(lambda each: [told] if each.client == order.client else [])


def _modes(connection: Connection) -> dict[int, str]:
    modes = connection.state.get("modes")
    return dict(modes) if isinstance(modes, dict) else {}


def _read(
    action: str, value: list[object], modes: dict[int, str]
) -> tuple[dict[int, str], list[int]]:
    """Return what is wanted after a request, and which instruments to show at once."""
    if action == "mode":
        mode, tokens = str(value[0]), value[1]
        if mode not in (LTP, QUOTE, FULL) or not isinstance(tokens, list):
            raise ValueError(mode)
        return {**modes, **{int(token): mode for token in tokens}}, [int(each) for each in tokens]
    named = [int(str(each)) for each in value]
    if action == "subscribe":
        return {**dict.fromkeys(named, QUOTE), **modes}, named
    if action == "unsubscribe":
        return {token: mode for token, mode in modes.items() if token not in named}, []
    raise ValueError(action)


async def _beat(connection: Connection, faults: Faults) -> None:
    """Send the byte that comes every second; a silent stream lacks it too."""
    while True:
        if not faults.is_on(FaultName.SILENT_STREAM, NAME):
            connection.send(HEARTBEAT)
        await asyncio.sleep(BEAT_SECONDS)

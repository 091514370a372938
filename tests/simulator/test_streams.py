import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from brokers.simulator.records import TickEvent
from brokers.simulator.wire import Connection, Frame, Hub
from tests.simulator.market import RELIANCE, new_broker, serving


class Stream:
    """A broker that tells every price as text to those who asked for it."""

    def __init__(self) -> None:
        self.broker = new_broker()
        self.faults = self.broker.faults
        self.hub = Hub("prices", self.faults)
        self.broker.subscribe(self._publish)
        self.server = serving(self.broker, routes=[WebSocketRoute("/prices", self._serve)])

    def _publish(self, event: object) -> None:
        if isinstance(event, TickEvent):
            text = str(event.quote.last_price)
            self.hub.publish(lambda each: [text] if each.state.get("asked") else [])

    async def _serve(self, socket: WebSocket) -> None:
        await self.hub.serve(socket, client="C1", on_message=self._hear)

    async def _hear(self, connection: Connection, frame: Frame) -> None:
        connection.state["asked"] = True
        connection.send(f"heard {frame!r}")

    def tick(self, *prices: int) -> None:
        for price in prices:
            self.broker.tick(RELIANCE, Decimal(price))

    @contextmanager
    def listener(self) -> Iterator[ClientConnection]:
        with connect(f"{self.server.ws_url}/prices", close_timeout=0.2) as socket:
            socket.send("prices")
            assert socket.recv(5) == "heard 'prices'"
            yield socket


def received(socket: ClientConnection, count: int) -> list[str | bytes]:
    return [socket.recv(5) for _ in range(count)]


@pytest.fixture
def stream():
    made = Stream()
    with made.server:
        yield made


class TestAStream:
    def test_tells_everyone_in_order(self, stream):
        with stream.listener() as first, stream.listener() as second:
            stream.tick(1401, 1402, 1403)
            assert received(first, 3) == received(second, 3) == ["1401", "1402", "1403"]

    def test_carries_binary_frames_too(self, stream):
        with stream.listener() as socket:
            socket.send(b"\x01")
            assert socket.recv(5) == "heard b'\\x01'"

    def test_forgets_who_has_gone(self, stream):
        with stream.listener():
            assert len(stream.hub.connections("C1")) == 1
        stream.tick(1401)
        with stream.listener():
            assert len(stream.hub.connections()) == 1

    def test_can_be_closed_from_inside(self, stream):
        with stream.listener() as socket:
            stream.hub.close_all(4001, "token expired")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(5)
        assert "4001 (private use) token expired" in str(closed.value)

    def test_is_fed_by_many_threads(self, stream):
        with stream.listener() as socket:
            threads = [threading.Thread(target=stream.tick, args=(1400,) * 20) for _ in range(4)]
            for thread in threads:
                thread.start()
            assert received(socket, 80) == ["1400"] * 80
            for thread in threads:
                thread.join()


class TestAFaultyStream:
    def test_repeats_a_frame(self, stream):
        with stream.listener() as socket:
            stream.faults.arm("duplicate_frames", match="prices")
            stream.tick(1401, 1402)
            assert received(socket, 3) == ["1401", "1401", "1402"]

    def test_swaps_two_frames(self, stream):
        with stream.listener() as socket:
            stream.faults.arm("reordered_frames")
            stream.tick(1401, 1402, 1403)
            assert received(socket, 3) == ["1402", "1401", "1403"]

    def test_sends_a_frame_it_found_no_partner_for(self, stream):
        with stream.listener() as socket:
            stream.faults.arm("reordered_frames")
            stream.tick(1401)
            assert received(socket, 1) == ["1401"]

    def test_falls_silent_yet_answers_pings(self, stream):
        with stream.listener() as socket:
            stream.faults.arm("silent_stream")
            stream.tick(1401)
            assert socket.ping().wait(5)
            with pytest.raises(TimeoutError):
                socket.recv(0.2)
            stream.faults.clear()
            stream.tick(1402)
            assert received(socket, 1) == ["1402"]

    def test_half_open_answers_nothing_and_stays_connected(self, stream):
        with stream.listener() as socket:
            stream.faults.arm("half_open")
            stream.tick(1401)
            assert not socket.ping().wait(0.3)
            stream.faults.clear()
            with pytest.raises(TimeoutError):
                socket.recv(0.2)
            with stream.listener() as again:
                stream.tick(1402)
                assert received(again, 1) == ["1402"]

    def test_of_another_name_is_left_alone(self, stream):
        with stream.listener() as socket:
            stream.faults.arm("silent_stream", match="orders")
            stream.tick(1401)
            assert received(socket, 1) == ["1401"]

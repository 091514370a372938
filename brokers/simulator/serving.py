"""Run a wire app on a real port, in a thread for tests or in the foreground for a demo."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class PortTaken(Exception):
    """Somebody listens on that port already."""


class SimulatorServer:
    """One wire app on one port; ``port=0`` takes a free one. Also a context manager.

    ``ping_interval`` is the server's own websocket ping; None sends none.
    """

    def __init__(
        self,
        app: Starlette,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        ping_interval: float | None = None,
    ) -> None:
        self.app = app
        self.host = host
        self.port = port
        self._ping_interval = ping_interval
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.host}:{self.port}"

    def start(self) -> Self:
        """Serve in a thread; return once the port answers.

        :raises PortTaken: when somebody else listens there.
        """
        server = self._prepare()
        self._thread = threading.Thread(target=self._run, args=(server,), name="brokersim")
        self._thread.start()
        return self

    def serve(self, *, on_ready: Callable[[], None]) -> None:
        """Serve in the foreground until interrupted; the port is ours when ``on_ready`` runs.

        :raises PortTaken: when somebody else listens there.
        """
        server = self._prepare()
        on_ready()
        with contextlib.suppress(KeyboardInterrupt):
            self._run(server)

    def stop(self) -> None:
        """Close every connection and the port, at once; doing it twice is harmless."""
        if self._server is not None:
            self.app.state.faults.release()
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            self._thread = None
        self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _prepare(self) -> uvicorn.Server:
        # asyncio sends small packets at once on a socket that names its protocol, and on no other:
        # an answer in two parts would wait 40 ms for the client's acknowledgement.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
        except OSError as error:
            listener.close()
            raise PortTaken(f"Port {self.port} of {self.host} cannot be used: {error}") from error
        listener.listen(128)
        self.app.state.faults.hold()
        self.port = listener.getsockname()[1]
        self._socket = listener
        self._server = uvicorn.Server(self._config())
        return self._server

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.app,
            http=_HttpProtocol,
            ws=_SocketProtocol,
            ws_ping_interval=self._ping_interval,
            log_level="error",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )

    def _run(self, server: uvicorn.Server) -> None:
        listener = self._socket
        if listener is None:
            return
        try:
            asyncio.run(server.serve(sockets=[listener]))
        finally:
            listener.close()


class _HttpProtocol(HttpToolsProtocol):
    """Lets the transport faults reach the TCP connection of a request."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["brokersim.transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class _SocketProtocol(WebSocketsSansIOProtocol):
    """A websocket that can go dead without closing: whoever serves it says when."""

    is_dead: Callable[[], bool] | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and hasattr(self, "scope"):
            self.scope["brokersim.protocol"] = self  # type: ignore[typeddict-unknown-key]

    def data_received(self, data: bytes) -> None:
        if self.is_dead is None or not self.is_dead():
            super().data_received(data)

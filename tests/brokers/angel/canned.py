"""A server that answers what a test tells it to, whatever it is asked."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Canned:
    """One answer. ``location`` makes it a redirect."""

    body: str
    status: int = 200
    content_type: str = "application/json"
    location: str = ""


@dataclass
class CannedServer:
    """``answers`` by the ending of a path; ``asked`` is every request as "METHOD path", and
    ``lines`` are the connections they came by, which ``keeps_open`` leaves to the other side."""

    answers: dict[str, Canned] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lines: set[tuple[str, int]] = field(default_factory=set)
    keeps_open: bool = False
    _open: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        canned = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if canned.keeps_open else "HTTP/1.0"

            def setup(self) -> None:
                super().setup()
                canned._open.append(self.connection)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self._answer()

            def do_GET(self) -> None:
                self._answer()

            def log_message(self, *_: object) -> None:
                """Stay silent."""

            def _answer(self) -> None:
                path = self.path.split("?", 1)[0]
                canned.asked.append(f"{self.command} {path}")
                canned.lines.add(self.client_address)
                found = [each for ending, each in canned.answers.items() if path.endswith(ending)]
                answer = found[0] if found else Canned("{}", 404)
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.send_header("content-length", str(len(answer.body.encode())))
                if answer.location:
                    self.send_header("location", answer.location)
                self.end_headers()
                self.wfile.write(answer.body.encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def hang_up(self) -> None:
        """Close every connection, as a front door does with those that rest too long."""
        for line in self._open:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "CannedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

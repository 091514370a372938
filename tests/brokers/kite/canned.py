"""A server that answers whatever it was told to, and processes of their own for imports."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = "application/json"


@dataclass(slots=True)
class Canned:
    """One answer for every request, and the requests that came."""

    body: bytes = b'{"status": "success", "data": true}'
    status: int = 200
    content_type: str = JSON
    location: str = ""
    requests: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, body: bytes | str, status: int = 200, content_type: str = JSON) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.status, self.content_type = status, content_type


@contextmanager
def canned_server() -> Iterator[Canned]:
    canned = Canned()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            canned.requests.append(f"{self.command} {self.path}")
            length = int(self.headers.get("content-length") or 0)
            canned.bodies.append(self.rfile.read(length).decode())
            self.send_response(canned.status)
            if canned.content_type:
                self.send_header("content-type", canned.content_type)
            if canned.location:
                self.send_header("location", canned.location)
            self.send_header("content-length", str(len(canned.body)))
            self.end_headers()
            self.wfile.write(canned.body)

        do_GET = do_POST = do_PUT = do_DELETE = _reply

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    canned.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield canned
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def in_a_process(code: str) -> str:
    """Run code in a process of its own, with the site set up."""
    setup = "import django, os, sys; os.environ.setdefault('DATABASE_URL', 'sqlite:///:memory:');"
    setup += "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'trading_site.settings');"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", setup + code],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

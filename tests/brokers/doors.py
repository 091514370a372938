"""A door where a broker's socket should be: it counts who comes and treats them as it is told."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request

HOST = "127.0.0.1"
_PATIENCE = 10.0
Treat = Callable[[ServerConnection], Awaitable[None]]


async def hold(line: ServerConnection) -> None:
    """Say nothing and stay until the other side goes."""
    await line.wait_closed()


async def vanish(line: ServerConnection) -> None:
    """Be gone without a word: hear nothing and answer nothing, not even a ping."""
    line.transport.pause_reading()
    await line.wait_closed()


async def hang_up(line: ServerConnection) -> None:
    """Let somebody in and go at once."""
    await line.close(1011, "Going down")


class Door:
    """``callers`` are the handshakes that came, oldest first.

    With ``is_strange`` its certificate is signed by nobody but itself.
    """

    def __init__(self, treat: Treat, *, is_strange: bool = False) -> None:
        self.callers: list[Request] = []
        self._treat = treat
        self._context = self_signed() if is_strange else None
        self._is_open = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    @property
    def url(self) -> str:
        """Return the address as BROKER_ENDPOINTS names it."""
        return f"{'http' if self._context is None else 'https'}://{HOST}:{self._port}"

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def calls(self, path: str) -> int:
        return sum(each.path.startswith(path) for each in self.callers)

    def __enter__(self) -> "Door":
        self._thread.start()
        assert self._is_open.wait(_PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        async with serve(
            self._treat, HOST, 0, ssl=self._context, process_request=self._note, close_timeout=0.1
        ) as server:
            self._port = server.sockets[0].getsockname()[1]
            self._is_open.set()
            await self._closing.wait()

    def _note(self, line: ServerConnection, request: Request) -> None:
        self.callers.append(request)


def self_signed() -> ssl.SSLContext:
    """Return a server's context whose certificate names this host and is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "door.pem"
        own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(own + certificate.public_bytes(Encoding.PEM))
        context.load_cert_chain(path)
    return context

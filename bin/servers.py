"""Start a PostgreSQL and a Redis server of one's own, on free ports, in a temporary folder."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


class ServerMissing(Exception):
    """The machine has no such server installed."""


class ServerFailed(Exception):
    """The server did not come up."""


@contextlib.contextmanager
def postgres_and_redis() -> Iterator[dict[str, str]]:
    """Run both servers; give the environment that points Pinnacle at them.

    :raises ServerMissing: naming the package to install.
    :raises ServerFailed: when one does not answer within 30 seconds.
    """
    with tempfile.TemporaryDirectory(prefix="pinnacle-servers-") as folder:
        Path(folder).chmod(0o755)
        with _postgres(Path(folder)) as database, _redis(Path(folder)) as cache:
            yield {"DATABASE_URL": database, "REDIS_URL": cache}


@contextlib.contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    binaries, port, data = _postgres_binaries(), free_port(), folder / "postgres"
    data.mkdir()
    as_owner = _as_unprivileged(data)
    initdb = [binaries / "initdb", "-D", data, "-U", "pinnacle", "-A", "trust", "-E", "UTF8"]
    _run([*as_owner, *map(str, initdb)], folder)
    settings = f"-p {port} -k {data} -c listen_addresses=127.0.0.1 -c max_connections=200"
    control = [*as_owner, str(binaries / "pg_ctl"), "-D", str(data)]
    # Its own log: a server that inherits our pipe would keep us waiting for the pipe to close.
    _run([*control, "-l", str(data / "log"), "-o", settings, "-w", "start"], folder)
    try:
        yield f"postgres://pinnacle@127.0.0.1:{port}/postgres"
    finally:
        _run([*control, "-m", "immediate", "stop"], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise ServerFailed(f"{command[-1]}: {done.stderr.decode()[-500:]}")


def _postgres_binaries() -> Path:
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("pg_ctl")
    if on_path:
        candidates.insert(0, Path(on_path).resolve().parent)
    for folder in candidates:
        if (folder / "initdb").exists():
            return folder
    raise ServerMissing("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")


def _as_unprivileged(data: Path) -> list[str]:
    """PostgreSQL refuses to run as root: hand its folder to the user `postgres` then."""
    if os.geteuid() != 0:
        return []
    owner = pwd.getpwnam("postgres")
    os.chown(data, owner.pw_uid, owner.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        raise ServerMissing("Redis is not installed (Debian: apt-get install redis-server)")
    port = free_port()
    command = [binary, "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    server = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, "Redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, name: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise ServerFailed(f"{name} did not answer on port {port}")

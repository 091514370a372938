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

from programs import THIS_MACHINE, Machine, ProgramMissing

__all__ = ["ProgramMissing", "ServerFailed", "free_port", "postgres_and_redis"]


class ServerFailed(Exception):
    """The server did not come up."""


@contextlib.contextmanager
def postgres_and_redis(machine: Machine = THIS_MACHINE) -> Iterator[dict[str, str]]:
    """Run both servers; give the environment that points Pinnacle at them.

    :raises ProgramMissing: naming the package to install.
    :raises ServerFailed: when one does not answer within a minute.
    """
    with tempfile.TemporaryDirectory(prefix="pinnacle-servers-") as folder:
        Path(folder).chmod(0o755)
        with _postgres(machine, Path(folder)) as database, _redis(machine, Path(folder)) as cache:
            yield {"DATABASE_URL": database, "REDIS_URL": cache}


@contextlib.contextmanager
def _postgres(machine: Machine, folder: Path) -> Iterator[str]:
    binaries, port, data = machine.postgres(), free_port(), folder / "postgres"
    data.mkdir()
    owner = _unprivileged_user()
    user: int | None = None
    if owner is not None:
        # A checkout may lie where only root can read.
        binaries = _within_reach(machine, binaries, folder)
        os.chown(data, owner.pw_uid, owner.pw_gid)
        user = owner.pw_uid
    initdb = [binaries / "initdb", "-D", data, "-U", "pinnacle", "-A", "trust", "-E", "UTF8"]
    _run(list(map(str, initdb)), folder, user=user)
    settings = f"-p {port} -k {data} -c listen_addresses=127.0.0.1 -c max_connections=200"
    control = [str(binaries / "pg_ctl"), "-D", str(data)]
    # Its own log: a server that inherits our pipe would keep us waiting for the pipe to close.
    _run([*control, "-l", str(data / "log"), "-o", settings, "-w", "start"], folder, user=user)
    try:
        yield f"postgres://pinnacle@127.0.0.1:{port}/postgres"
    finally:
        _run([*control, "-m", "immediate", "stop"], folder, user=user)


def _run(command: list[str], folder: Path, *, user: int | None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, user=user)
    if done.returncode:
        raise ServerFailed(f"{command[-1]}: {done.stderr.decode()[-500:]}")


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return whom to run PostgreSQL as, which refuses root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _within_reach(machine: Machine, binaries: Path, folder: Path) -> Path:
    if not binaries.is_relative_to(machine.packaged):
        return binaries
    package = binaries.parent.parent
    for part in package.parent.glob(f"{package.name}*"):
        shutil.copytree(part, folder / part.name)
    return folder / package.name / binaries.relative_to(package)


@contextlib.contextmanager
def _redis(machine: Machine, folder: Path) -> Iterator[str]:
    port = free_port()
    command = [str(machine.redis()), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
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
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise ServerFailed(f"{name} did not answer on port {port}")

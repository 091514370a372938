"""Where a trial runs: servers of its own, a simulator's port, live trading on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.run import ROOT, environment

sys.path.append(str(ROOT / "bin"))

from servers import ProgramMissing, ServerFailed, free_port

_UP_WITHIN = 90.0


class NotUp(Exception):
    """A process of the trial did not come up."""


def run_inside(module: str, broker: str) -> int:
    """Run the module once more as a process that lives in those places; return its exit code."""
    command = [sys.executable, "-m", module, "--inside", *sys.argv[1:]]
    try:
        with environment(is_server=True) as places:
            house = {**os.environ, **places, **_at_simulator(broker)}
            return _ended(subprocess.Popen(command, cwd=ROOT, env=house))
    except (ProgramMissing, ServerFailed) as error:
        print(f"NOT RUN: {error}", file=sys.stderr)
        return 1


def end_in_order() -> None:
    """Let SIGTERM end this process as Ctrl-C does, so that what it has started ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def _ended(process: "subprocess.Popen[bytes]") -> int:
    end_in_order()
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _at_simulator(broker: str) -> Mapping[str, str]:
    simulator = f"http://127.0.0.1:{free_port()}"
    return {
        "LIVE_TRADING": "on",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        "BROKER_ENDPOINTS": f"{broker}={simulator}",
        "SIMULATOR": simulator,
        "WEB_PORT": str(free_port()),
        # Nobody outside can be asked from a trial.
        "ADDRESS_CHECK_URL": f"{simulator}/_sim/state",
    }


@contextmanager
def simulator(broker: str, folder: Path) -> Iterator[str]:
    """Run the simulator, its prices standing still until somebody moves them; give its address.

    :raises NotUp: when it does not answer.
    """
    address = os.environ["SIMULATOR"]
    port = address.rpartition(":")[2]
    command = [sys.executable, "manage.py", "brokersim", "--broker", broker, "--port", port]
    with (folder / "simulator.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--rate", "0"], cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"{address}/_sim/state", "The simulator")
        yield address
    finally:
        process.kill()
        process.wait()


def wait_for(address: str, name: str) -> None:
    """:raises NotUp: when nothing answers well in time."""
    deadline = time.monotonic() + _UP_WITHIN
    while time.monotonic() < deadline:
        try:
            requests.get(address, timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.5)
        else:
            return
    raise NotUp(f"{name} did not answer at {address}")

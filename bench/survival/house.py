"""The server's processes as docs/server.md has them, begun again when they end, and killed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from bench.run import ROOT

BIN = Path(sys.executable).parent
_BEGUN_AGAIN_AFTER = 1.0
_LOOK = 0.25
KILLED = ("web", "orders worker", "exits worker", "sync worker", "streams")


@dataclass
class Part:
    """One service: its own session, so that what it has forked dies with it."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    ended_at: float | None = None
    endings: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        self.ended_at = None

    def kill(self) -> None:
        """Give it no time for anything."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def look(self, now: float) -> None:
        """Begin again what has ended, as systemd does with Restart=always."""
        if self.process is None or self.process.poll() is None:
            return
        if self.ended_at is None:
            self.ended_at, self.endings = now, self.endings + 1
            # A killed master leaves its children behind only if they left its group.
        elif now - self.ended_at >= _BEGUN_AGAIN_AFTER:
            self.start()


@dataclass
class House:
    """Every part, watched by a thread of its own from ``open`` to ``close``."""

    folder: Path
    web_port: int
    kills: Counter[str] = field(default_factory=Counter)
    parts: dict[str, Part] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _watcher: threading.Thread | None = None

    def open(self, *, only: Collection[str] = ()) -> None:
        """Start every part, or those named alone."""
        parts = _parts(self.folder, self.web_port)
        self.parts = {each.name: each for each in parts if not only or each.name in only}
        for part in self.parts.values():
            part.start()
        self._watcher = threading.Thread(target=self._watch, name="watcher")
        self._watcher.start()

    def kill(self, name: str) -> None:
        with self._guard:
            self.parts[name].kill()
            self.kills[name] += 1

    def close(self) -> None:
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
        for part in self.parts.values():
            part.kill()

    def endings(self) -> dict[str, int]:
        """Name the parts that ended by themselves more often than they were killed."""
        ended = {name: part.endings - self.kills[name] for name, part in self.parts.items()}
        return {name: count for name, count in ended.items() if count > 0}

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK):
            with self._guard:
                for part in self.parts.values():
                    part.look(time.monotonic())


def kill_at_random(house: House, *, seed: int, mean_pause: float, stopped: threading.Event) -> None:
    """Kill one part after another until stopped: every one in turn, in shuffled rounds."""
    chance = random.Random(seed)
    while True:
        for name in chance.sample(KILLED, len(KILLED)):
            if stopped.wait(chance.uniform(0.25, 1.75) * mean_pause):
                return
            house.kill(name)


def _parts(folder: Path, web_port: int) -> list[Part]:
    worker = [str(BIN / "celery"), "-A", "trading_site", "worker", "-l", "WARNING"]
    web = f"trading_site.wsgi --bind 127.0.0.1:{web_port} --workers 2 --threads 4".split()
    beat = ["beat", "-l", "WARNING", "-s", str(folder / "beat")]
    rest = "strategies,market,notifications"
    commands = {
        "web": [str(BIN / "gunicorn"), *web],
        "orders worker": [*worker, "-Q", "orders", "-c", "20", "-n", "orders@%h"],
        "exits worker": [*worker, "-Q", "exits", "-c", "12", "-n", "exits@%h"],
        "sync worker": [*worker, "-Q", "sync", "-c", "8", "-n", "sync@%h"],
        "other worker": [*worker, "-Q", rest, "-c", "2", "-n", "rest@%h"],
        "beat": [str(BIN / "celery"), "-A", "trading_site", *beat],
        "streams": [sys.executable, "manage.py", "run_feed", "--brokers"],
    }
    return [
        Part(name, command, folder / f"{name.replace(' ', '-')}.log")
        for name, command in commands.items()
    ]

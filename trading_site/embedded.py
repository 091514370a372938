"""Everything in one process: the web server, a worker, the beat and the feed as its threads."""

import errno
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import uvicorn
from celery import Celery
from celery.beat import Scheduler
from celery.worker import state
from django.db import connection
from django.utils import timezone

from orders.nudging import EXITS
from trading_site.celery import app as celery_app
from trading_site.feeding import FeedRunner, simulated_feed
from trading_site.streaming import end_streams

QUEUES = ("orders", "sync", "strategies", "market", "notifications")
# A broker that hangs holds six that send and three that read; threads begin when they are needed.
_WORKERS = 16
# Exits and cancels have threads of their own, and the sweep that finds what was lost one of them.
_EXIT_WORKERS = 8


class PortBusy(Exception):
    """Another program listens at the address."""


class AddressUnusable(Exception):
    """The address cannot be listened at: it is not this machine's, or is not allowed."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        host = "localhost" if self.host in ("127.0.0.1", "0.0.0.0") else self.host  # noqa: S104
        return f"http://{host}:{self.port}/"


def listen(address: Address) -> socket.socket:
    """Take the port before anything starts.

    :raises PortBusy: when another program has it.
    :raises AddressUnusable: when the machine will not give it.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            words = f"Port {address.port} is in use. Stop what runs there, or choose another: "
            raise PortBusy(f"{words}make run PORT={address.port + 1}") from error
        raise AddressUnusable(f"{address.host}:{address.port}: {error.strerror}") from error
    return listener


class WebServer:
    """Uvicorn in a thread, so that signals stay with the process and end all parts alike."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                "trading_site.asgi:application",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )

    def run(self, stopped: threading.Event) -> None:
        ending = threading.Thread(target=self._end_when, args=(stopped,), daemon=True)
        ending.start()
        self._server.run(sockets=[self._listener])
        stopped.set()

    def _end_when(self, stopped: threading.Event) -> None:
        stopped.wait()
        self._server.should_exit = True
        end_streams()


def load_tasks(*, app: Celery = celery_app) -> None:
    """Load every task once, before several workers would do so at the same time."""
    app.loader.init_worker()
    app.finalize()


def run_worker(stopped: threading.Event) -> None:
    """Work off all queues but that of exits in a few threads until stopped."""
    _work(stopped, name="embedded", queues=QUEUES, size=_WORKERS)


def run_exit_worker(stopped: threading.Event) -> None:
    """Work off exits and cancels alone, whatever the other worker is busy with."""
    _work(stopped, name="exits", queues=(EXITS,), size=_EXIT_WORKERS)


def _work(stopped: threading.Event, *, name: str, queues: Sequence[str], size: int) -> None:
    # Celery keeps the queues of a worker with its app: two workers of one app would both work off
    # those of the later one, and nobody the others.
    own = Celery(name, set_as_current=False)
    own.config_from_object("django.conf:settings", namespace="CELERY")
    own.finalize()
    worker = own.WorkController(
        pool="threads",
        concurrency=size,
        queues=",".join(queues),
        hostname=f"{name}@pinnacle",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )

    def end() -> None:
        stopped.wait()
        state.should_stop = 0  # type: ignore[assignment]  # the stubs know None only

    threading.Thread(target=end, daemon=True).start()
    worker.start()


def run_beat(stopped: threading.Event, *, app: Celery = celery_app) -> None:
    """Send what is due until stopped; the schedule lives in memory, for every task is a sweep."""
    scheduler = Scheduler(app, max_interval=1)
    while not stopped.wait(min(scheduler.tick(), 1.0)):
        continue


def run_feed(stopped: threading.Event) -> None:
    """Run the simulated exchange until stopped."""
    runner = FeedRunner(
        "simulated", partial(simulated_feed, clock=timezone.now), clock=timezone.now
    )
    runner.run(stopped)
    connection.close()  # this thread's own


def run_together(
    parts: Mapping[str, Callable[[threading.Event], None]],
    stopped: threading.Event,
    *,
    patience: float = 5.0,
) -> list[str]:
    """Run the parts until one of them ends or ``stopped`` is set; return those that did not end
    within ``patience`` seconds.
    """

    def run(part: Callable[[threading.Event], None]) -> None:
        try:
            part(stopped)
        finally:
            stopped.set()

    threads = [
        threading.Thread(target=run, args=(part,), name=name, daemon=True)
        for name, part in parts.items()
    ]
    for thread in threads:
        thread.start()
    stopped.wait()
    for thread in threads:
        thread.join(patience)
    return [thread.name for thread in threads if thread.is_alive()]

import logging
import os
import signal
import sys
import threading
import warnings
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trading_site.demo_desk import PASSWORD, USERNAME, set_up_demo
from trading_site.embedded import (
    Address,
    AddressUnusable,
    PortBusy,
    WebServer,
    listen,
    load_tasks,
    run_beat,
    run_exit_worker,
    run_feed,
    run_together,
    run_worker,
)
from trading_site.stream_runner import run_broker_streams


class Command(BaseCommand):
    help = "Run all of Pinnacle in this one process, with the demo desk on the simulated exchange."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: object, host: str, port: int, **options: object) -> None:
        address = Address(host, port)
        if settings.REDIS_URL:
            raise CommandError(
                "REDIS_URL is set: run the parts of a server instead (docs/server.md)"
            )
        try:
            listener = listen(address)
        except (PortBusy, AddressUnusable) as error:
            raise CommandError(str(error)) from error
        if "SITE_URL" not in os.environ:  # where .env was read into as well
            settings.SITE_URL = str(address).rstrip("/")
        call_command("migrate", verbosity=0)
        self._set_up_demo()
        _keep_routine_quiet()
        stopped = _stopped_by_signals()
        self.stdout.write(f"Pinnacle is at {address}")
        self.stdout.write("Ctrl-C ends it.")
        self.stdout.flush()
        parts = {
            "web": WebServer(listener).run,
            "worker": run_worker,
            "exits": run_exit_worker,
            "beat": run_beat,
            "feed": run_feed,
            "streams": run_broker_streams,
        }
        load_tasks()
        stuck = run_together(parts, stopped)
        self.stdout.write("Pinnacle has ended.")
        if stuck:
            self.stderr.write(f"These parts did not end in time: {', '.join(stuck)}")
            sys.stdout.flush()
            os._exit(1)  # a thread that will not end must not keep the process

    def _set_up_demo(self) -> None:
        if settings.HTTPS:
            return
        set_up_demo(timezone.now)
        self.stdout.write(f"Sign in as {USERNAME} / {PASSWORD}")


def _stopped_by_signals() -> threading.Event:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def _keep_routine_quiet() -> None:
    """A sweep every two seconds is no news in a laptop's terminal."""
    for name in ("celery", "kombu", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)
    # WhiteNoise hands its files over piece by piece; Django warns of that at each one under ASGI.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")

import signal
import threading
from argparse import ArgumentParser
from functools import partial

from django.core.management.base import BaseCommand
from django.utils import timezone

from trading_site.feeding import FeedRunner, simulated_feed
from trading_site.stream_runner import run_broker_streams


class Command(BaseCommand):
    help = (
        "Run the simulated exchange as a server's feed, or with --brokers the streams of every "
        "broker that is logged in; a lease keeps a second one waiting."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--brokers", action="store_true", help="the brokers' own streams")

    def handle(self, *args: object, brokers: bool, **options: object) -> None:
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        what = "The brokers' streams run" if brokers else "The feed runs"
        self.stdout.write(f"{what}; Ctrl-C ends it.")
        self.stdout.flush()
        if brokers:
            run_broker_streams(stopped)
            return
        make_feed = partial(simulated_feed, clock=timezone.now)
        FeedRunner("simulated", make_feed, clock=timezone.now).run(stopped)

import signal
import threading
from functools import partial

from django.core.management.base import BaseCommand
from django.utils import timezone

from trading_site.feeding import FeedRunner, simulated_feed


class Command(BaseCommand):
    help = "Run the simulated exchange as a server's feed; a lease keeps a second one waiting."

    def handle(self, *args: object, **options: object) -> None:
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        self.stdout.write("The feed runs; Ctrl-C ends it.")
        self.stdout.flush()
        make_feed = partial(simulated_feed, clock=timezone.now)
        FeedRunner("simulated", make_feed, clock=timezone.now).run(stopped)

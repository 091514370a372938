from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from market.opening import OpeningRefused, open_all_day, restore_hours
from market.schedules import CALENDARS

_NOTICED = "A running Pinnacle notices within half a minute; nothing needs to be started again."


class Command(BaseCommand):
    help = "Let an exchange trade all of today and tomorrow, to try a simulated broker at any hour."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("exchanges", nargs="+", choices=sorted(CALENDARS), metavar="exchange")
        parser.add_argument("--close-again", action="store_true", help="back to its own hours")

    def handle(
        self, *args: object, exchanges: list[str], close_again: bool, **options: object
    ) -> None:
        for exchange in exchanges:
            self.stdout.write(_closed(exchange) if close_again else _opened(exchange))
        self.stdout.write(_NOTICED)


def _opened(exchange: str) -> str:
    try:
        today, tomorrow = open_all_day(exchange, now=timezone.now())
    except OpeningRefused as error:
        raise CommandError(str(error)) from error
    return f"{exchange} trades all day on {today:%-d %b %Y} and {tomorrow:%-d %b %Y}."


def _closed(exchange: str) -> str:
    if restore_hours(exchange):
        return f"{exchange} keeps its own hours again."
    return f"{exchange} was not opened here."

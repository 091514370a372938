from argparse import ArgumentParser
from pathlib import Path

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from market.rules.loading import LISTS, RulesRefused, add_rules, load_shipped_rules


class Command(BaseCommand):
    help = (
        "Load the dated market rules (sessions, holidays, ticks, expiries and so on) that this"
        " product ships, or add an operator's own rows to one of them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--add", nargs=2, metavar=("LIST", "FILE"), help="as in: ticks new.csv")

    def handle(self, *args: object, add: list[str] | None, **options: object) -> None:
        if add is None:
            for name, count in load_shipped_rules(apps.get_app_config("market")).items():
                self.stdout.write(f"{name}: {count} rows")
            return
        name, path = add
        if name not in LISTS:
            raise CommandError(f"{name} is no list; there are {', '.join(LISTS)}")
        try:
            self.stdout.write(f"{name}: {add_rules(name, Path(path))} rows added")
        except RulesRefused as error:
            raise CommandError(str(error)) from error

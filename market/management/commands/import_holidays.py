from argparse import ArgumentParser
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from market.holidays import HolidaysRefused, publish_year
from market.importing.reading import open_source
from market.importing.rows import FileRefused, RowRefused
from market.importing.values import day_of, name_of


class Command(BaseCommand):
    help = "Make a year known from the exchange's list of holidays: a CSV of date and occasion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        parser.add_argument("--exchange", default="NSE")
        parser.add_argument("--year", type=int, required=True)

    def handle(self, *args: object, **options: object) -> None:
        exchange, year = str(options["exchange"]), int(str(options["year"]))
        try:
            holidays = _holidays(Path(str(options["path"])))
            days = publish_year(exchange, year=year, holidays=holidays)
        except (OSError, FileRefused, RowRefused, HolidaysRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{exchange} {year}: {days} holidays, every other weekday trades")


def _holidays(path: Path) -> dict[date, str]:
    """Read rows that begin with a date; a first row of column names is left out."""
    with path.open("rb") as file:
        rows = list(open_source(file, name=path.name).table())
    first = rows[0][1][0].strip() if rows else ""
    return {
        day_of(row[0], f"Line {line}:"): name_of("".join(row[1:2]), "The occasion", at_most=200)
        for line, row in (rows if first[:1].isdigit() else rows[1:])
    }

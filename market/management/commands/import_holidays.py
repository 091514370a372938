from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from market.holidays import HolidaysRefused, publish_year
from market.importing.dates import order_in
from market.importing.reading import Source, open_source
from market.importing.rows import FileRefused, NeedsAnswer, RowRefused
from market.importing.values import day_of, name_of
from market.management.importing import add_dates


class Command(BaseCommand):
    help = "Make a year known from the exchange's list of holidays: a CSV of date and occasion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        parser.add_argument("--exchange", default="NSE")
        parser.add_argument("--year", type=int, required=True)
        add_dates(parser)

    def handle(self, *args: object, **options: object) -> None:
        exchange, year = str(options["exchange"]), int(str(options["year"]))
        try:
            holidays = _holidays(Path(str(options["path"])), dates=str(options["dates"]))
            days = publish_year(exchange, year=year, holidays=holidays)
        except NeedsAnswer as needed:
            raise CommandError(f"{needed}: say --dates day_first or month_first") from needed
        except (OSError, FileRefused, RowRefused, HolidaysRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{exchange} {year}: {days} holidays, every other weekday trades")


def _first_fields(source: Source) -> Iterator[tuple[int, str]]:
    for line, row in source.table():
        yield line, row[0].strip()


def _holidays(path: Path, *, dates: str) -> dict[date, str]:
    """Read rows that begin with a date; a first row of column names is left out."""
    with path.open("rb") as file:
        source = open_source(file, name=path.name)
        order = order_in(source, _first_fields, said=dates)
        rows = list(source.table())
    first = rows[0][1][0].strip() if rows else ""
    holidays = {}
    for line, row in rows if first[:1].isdigit() else rows[1:]:
        day = day_of(row[0], f"Line {line}:", order=order)
        holidays[day] = name_of("".join(row[1:2]), "The occasion", at_most=200)
    return holidays

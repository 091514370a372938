from argparse import ArgumentParser

from market.management.importing import ImportCommand, add_accept, add_dates, files_in
from market.models import ImportKind, Interval


class Command(ImportCommand):
    help = "Import files of any known kind; the kind is told by each file's first lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", help="files, or folders of CSV files")
        parser.add_argument("--kind", choices=ImportKind.values, help="when it is not recognised")
        parser.add_argument("--symbol", default="", help="NSE:RELIANCE, when the file does not say")
        parser.add_argument("--interval", default="", choices=["", *Interval.values])
        parser.add_argument("--zone", default="", help="zone of its times, Asia/Kolkata by default")
        add_dates(parser)
        add_accept(parser)
        parser.add_argument("--day", default="", help="day of a bhavcopy that does not say it")

    def handle(self, *args: object, **options: object) -> None:
        said = ("symbol", "interval", "zone", "day", "dates")
        named = {name: options[name] for name in (*said, "accepted")}
        kind = ImportKind(str(options["kind"])) if options["kind"] else None
        paths = options["paths"]
        self.import_files(
            files_in(map(str, paths if isinstance(paths, list) else [paths])),
            kind=kind,
            options=named,
        )

from argparse import ArgumentParser

from market.management.importing import ImportCommand, add_accept, files_in
from market.models import ImportKind

_KINDS = {
    "kite": ImportKind.KITE_MASTER,
    "dhan": ImportKind.DHAN_MASTER,
    "angel": ImportKind.ANGEL_MASTER,
    "alpaca": ImportKind.ALPACA_MASTER,
}


class Command(ImportCommand):
    help = "Import a broker's instrument master."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path")
        add_accept(parser)
        parser.add_argument("--broker", choices=list(_KINDS), help="told by the file by default")

    def handle(self, *args: object, **options: object) -> None:
        broker = options["broker"]
        self.import_files(
            files_in([str(options["path"])]),
            kind=_KINDS[str(broker)] if broker else None,
            options={"accepted": options["accepted"]},
        )

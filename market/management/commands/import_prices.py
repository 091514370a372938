from argparse import ArgumentParser

from market.management.importing import ImportCommand, add_accept, files_in


class Command(ImportCommand):
    help = "Import every price file of a folder; each file is named after its instrument."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder")
        add_accept(parser)

    def handle(self, *args: object, **options: object) -> None:
        self.import_files(
            files_in([str(options["folder"])]), kind=None, options={"accepted": options["accepted"]}
        )

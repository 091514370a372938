from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from operations.audit import AuditBroken, last_hash, verify


class Command(BaseCommand):
    help = "Check the request log's chain; name the first bad row and fail when it is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchor", help="An end of the chain that was noted elsewhere")

    def handle(self, *args: object, anchor: str | None, **options: object) -> None:
        try:
            count = verify(anchor=anchor)
        except AuditBroken as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} rows, unbroken. Note this end elsewhere: {last_hash()}")

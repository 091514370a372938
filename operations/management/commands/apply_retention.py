from argparse import ArgumentParser

from django.core.management.base import BaseCommand
from django.utils import timezone

from operations.retention import apply_retention


class Command(BaseCommand):
    help = "Remove what has been kept long enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count only, remove nothing")

    def handle(self, *args: object, dry_run: bool, **options: object) -> None:
        verb = "would go" if dry_run else "gone"
        for outcome in apply_retention(now=timezone.now(), is_dry_run=dry_run):
            self.stdout.write(
                f"{outcome.table}: {outcome.rows} rows {verb} (before {outcome.before:%Y-%m-%d})"
            )

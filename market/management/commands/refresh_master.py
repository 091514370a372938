from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from brokers.registry import UnknownBroker
from brokers.sessions import SessionMissing
from market.models import ImportStatus
from market.refreshing import refresh_master
from operations.leases import LeaseHeld


class Command(BaseCommand):
    help = "Fetch a broker's instrument list now, and import it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--broker", required=True, help="angel, kite, dhan or alpaca")
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            help="also when it lacks much of the last one, because the broker really dropped it",
        )

    def handle(self, *args: object, **options: object) -> None:
        try:
            run = refresh_master(
                str(options["broker"]),
                clock=timezone.now,
                accept_loss=bool(options["accept_loss"]),
            )
        except (UnknownBroker, SessionMissing, LeaseHeld) as error:
            raise CommandError(str(error)) from error
        if run.status != ImportStatus.COMPLETED:
            raise CommandError(f"{run.file_name}: {run.error_message}")
        self.stdout.write(
            f"{run.file_name}: {run.rows_read:,} rows read, {run.rows_written:,} new or changed, "
            f"{run.rows_unchanged:,} unchanged, {run.rows_skipped:,} left out"
        )

"""Say whether this database was restored or copied, and confirm that it trades from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from operations.installation import doubt_now
from risk.services.confirming import NotConfirmed, confirm_database, note_pulse, waiting_accounts


class Command(BaseCommand):
    help = "Tell whether live entries wait for a restored or copied database; confirm it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", help="what you have checked; without it nothing is done")

    def handle(self, *args: Any, **options: Any) -> None:
        note_pulse(now=timezone.now())
        doubt = doubt_now()
        if doubt is None:
            self.stdout.write("This database is the one that traded last: nothing to confirm.")
            return
        if not options["reason"]:
            self.stdout.write(f"{doubt.words}. Live entries wait.")
            for account in waiting_accounts():
                self.stdout.write(f"Does not agree with its broker yet: {account.name}")
            return
        try:
            confirm_database(by=None, reason=options["reason"], now=timezone.now())
        except NotConfirmed as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Confirmed: live entries leave from now on.")

"""List the positions that a broker tells otherwise, or accept its figure for one of them."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from operations.figures import ist_moment
from orders.management.commands.settle_order import person
from orders.services.accepting import Acceptance, NotAcceptable, accept_difference
from orders.services.adjusting import figures
from portfolio.models import PositionDifference
from portfolio.models.differences import PositionDifferenceQuerySet


class Command(BaseCommand):
    help = "List the open differences; with one's id and its two figures, accept the broker's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("difference", nargs="?", type=uuid.UUID, help="Its id, as listed")
        parser.add_argument("--here", type=int, help="Our figure, as listed")
        parser.add_argument("--broker", type=int, help="The broker's figure, as listed")
        parser.add_argument("--by", help="Sign-in name of the person who accepts it")
        parser.add_argument("--reason", default="", help="Why the broker's figure is right")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["difference"] is None:
            self._list()
            return
        if None in (options["here"], options["broker"], options["by"]):
            raise CommandError("Say --here, --broker, --by and --reason: what you accept, and who")
        row = _rows().filter(pk=options["difference"]).first()
        if row is None:
            raise CommandError("There is no such difference")
        acceptance = Acceptance(
            ours=options["here"],
            theirs=options["broker"],
            reason=options["reason"],
            by=person(options["by"]),
        )
        try:
            settled = accept_difference(row, acceptance, clock=timezone.now)
        except (NotAcceptable, PermissionDenied) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(self.style.SUCCESS(f"Adjusted: {settled.reason}"))

    def _list(self) -> None:
        for row in _rows().open().order_by("account__name", "instrument_key", "product"):
            since = f"since {ist_moment(row.first_seen_at)}, {row.readings} readings alike"
            self.stdout.write(f"{row.pk}  {row.account.name}: {figures(row)}, {since}")
            self.stdout.write(f"    {'Doubted: ' if row.is_doubted else ''}{row.reason}")
        if not _rows().open().exists():
            self.stdout.write("No position differs.")


def _rows() -> PositionDifferenceQuerySet:
    related = ("account__connection__user", "account__workspace", "instrument")
    return PositionDifference.objects.select_related(*related)

from argparse import ArgumentParser
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from market.importing.undoing import UndoRefused, undo
from market.models import ImportRun


class Command(BaseCommand):
    help = "Put back exactly what an import changed; without an id, list the latest imports."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", nargs="?", type=UUID, help="its id, as listed")

    def handle(self, *args: object, **options: object) -> None:
        if options["run"] is None:
            self._list()
            return
        run = ImportRun.objects.filter(pk=str(options["run"])).first()
        if run is None:
            raise CommandError("There is no import with that id")
        try:
            undo(run, now=timezone.now())
        except UndoRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{run.file_name}: undone, everything is as it was before it")

    def _list(self) -> None:
        for run in ImportRun.objects.order_by("-started_at")[:20]:
            self.stdout.write(f"{run.pk}  {run.started_at:%Y-%m-%d %H:%M}  {run}")

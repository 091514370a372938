from django.core.management.base import BaseCommand, CommandError

from brokers.resealing import reseal_everything


class Command(BaseCommand):
    """Run after a new key was put first in SECRET_KEYS, and before the old one is taken out."""

    help = "Seal every stored secret again under the newest of SECRET_KEYS."

    def handle(self, *args: object, **options: object) -> None:
        resealed = reseal_everything()
        self.stdout.write(f"{resealed.count} secrets are sealed under the newest key")
        if resealed.unreadable:
            listed = "\n".join(resealed.unreadable)
            raise CommandError(f"No key opens these; keep the old keys:\n{listed}")

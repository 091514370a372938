from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from trading_site.demo_desk import PASSWORD, USERNAME, DemoRefused, set_up_demo


class Command(BaseCommand):
    help = "Make the demo user, desk, paper account, strategies and history. Safe to repeat."

    def handle(self, *args: object, verbosity: int, **options: object) -> None:
        try:
            set_up_demo(timezone.now)
        except DemoRefused as error:
            raise CommandError(str(error)) from error
        if verbosity:  # `make run` tells the sign-in itself, once it is up
            self.stdout.write(f"The demo desk is ready: sign in as {USERNAME} / {PASSWORD}")

"""Stop all trading, or let it go on, from the command line: needs nothing but the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from risk.management.commands.trading_state import named_workspace
from risk.models import TraderControl
from risk.services import engage_kill_switch, release_kill_switch


class Command(BaseCommand):
    help = "Engage or release the kill switch, for every desk or for one; or say how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["engage", "release", "status"])
        parser.add_argument("--workspace", help="name of one workspace; without it: all of them")
        parser.add_argument("--reason", default="from the command line")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["workspace"]
        workspace = None if name is None else named_workspace(name)
        reason, now = options["reason"], timezone.now()
        if options["action"] == "engage":
            switch = engage_kill_switch(workspace, by=None, reason=reason, now=now)
            self.stdout.write(switch.cancelled.words or "No entry order was open.")
        elif options["action"] == "release":
            release_kill_switch(workspace, by=None, reason=reason, now=now)
        self._say_how_it_stands()

    def _say_how_it_stands(self) -> None:
        switches = TraderControl.objects.kill_switches().select_related("workspace", "account")
        if not switches:
            self.stdout.write("The kill switch is off: trading goes on.")
        for switch in switches:
            whose = switch.workspace.name if switch.workspace else "every desk"
            whose = f"{switch.account.name} of {whose}" if switch.account else whose
            since = timezone.localtime(switch.activated_at)
            self.stdout.write(f"ON for {whose} since {since:%d %b %H:%M:%S}: {switch.reason}")

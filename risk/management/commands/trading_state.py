"""Set what a desk or one of its accounts may do, from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Workspace
from brokers.models import TradingAccount
from risk.models import Trading
from risk.releasing import ReleaseRefused
from risk.services import set_trading_state
from risk.services.switching import Cause, Scope


class Command(BaseCommand):
    help = "Set a desk, or one account of it, active, to exits only (REDUCING), or halted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=Trading.values)
        parser.add_argument("--workspace", required=True, help="name of the workspace")
        parser.add_argument("--account", help="name of an account; without it: the whole desk")
        parser.add_argument("--reason", default="from the command line")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = named_workspace(options["workspace"])
        account = _account(workspace, options["account"])
        cause = Cause(options["reason"])
        try:
            row = set_trading_state(
                Scope(workspace, account), Trading(options["state"]), cause=cause,
                now=timezone.now(),
            )  # fmt: skip
        except ReleaseRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{account or workspace}: {row.state}. {row.cancelled.words}".rstrip())


def named_workspace(name: str) -> Workspace:
    """:raises CommandError: when the name is nobody's, or not one workspace's alone."""
    found = list(Workspace.objects.filter(name=name))
    if len(found) != 1:
        raise CommandError(f"{len(found)} workspaces are called “{name}”; one was meant")
    return found[0]


def _account(workspace: Workspace, name: str | None) -> TradingAccount | None:
    if name is None:
        return None
    account = workspace.accounts.filter(name=name).first()
    if account is None:
        raise CommandError(f"{workspace} has no account called “{name}”")
    return account

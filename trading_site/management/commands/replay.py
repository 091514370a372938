"""Play a folder of price files through feed, strategies, risk, paper broker and booking."""

from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User, Workspace
from market.models import Interval
from operations.figures import rupees, signed
from trading_site.replay_report import DayReport, add_up
from trading_site.replay_rules import ReplayRules
from trading_site.replaying import WORKSPACE, ReplayRefused, ReplayRequest, prepare_replay

_HEAD = f"{'Day':12}{'Signals':>9}{'Orders':>8}{'Filled':>8}{'Fills':>7}" + "".join(
    f"{words:>14}" for words in ("Gross", "Charges", "Net")
)


class Command(BaseCommand):
    help = "Play a folder of price files through the whole house and report each session."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="A folder of price files (.csv)")
        parser.add_argument(
            "--strategies", default="rsi_dmi,price_breakout", help="Slugs, with commas between"
        )
        parser.add_argument("--capital", type=_amount, default=Decimal(1_000_000))
        parser.add_argument("--interval", type=Interval, help="Such as 5m; the files' own without")
        parser.add_argument("--days", type=_positive, help="Only the last so many days")
        parser.add_argument(
            "--with-rules",
            nargs="?",
            const="",
            metavar="DESK",
            help="Under the active limits of a desk; of the person's own without a name",
        )
        parser.add_argument("--user", help="Who shall see it; the first person without")

    def handle(self, *args: Any, **options: Any) -> None:
        user = _person(options["user"])
        named = options["with_rules"]
        request = ReplayRequest(
            folder=options["folder"],
            strategies=[slug.strip() for slug in options["strategies"].split(",") if slug.strip()],
            capital=options["capital"],
            interval=options["interval"],
            days=options["days"],
            rules_of=None if named is None else _desk(named, of=user),
        )
        try:
            self._replay(request, user)
        except ReplayRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _replay(self, request: ReplayRequest, user: User) -> None:
        replay = prepare_replay(request, user=user, now=timezone.now())
        prices = replay.prices
        self.stdout.write(
            f"{len(prices.instruments)} instruments, {len(replay.days)} days, "
            f"{prices.interval} candles ({prices.rows_read} rows read, "
            f"{prices.rows_skipped} left out)"
        )
        self._write_rules(replay.rules)
        self.stdout.write(f"\n{_HEAD}")
        days = []
        for day in replay.play():
            days.append(day)
            self._write_day(f"{day.day:%a %d %b %y}", day)
        self._write_total(add_up(days))
        self._write_proof(replay.faults())
        self.stdout.write(f"See it at {replay.account} in the desk Replays of {user}.")

    def _write_rules(self, rules: ReplayRules) -> None:
        for words in rules.in_force:
            self.stdout.write(f"Limit: {words}")
        if not rules.in_force:
            self.stdout.write("No limit counts; --with-rules takes those of a desk")
        for words in rules.left_out:
            self.stdout.write(f"Left out: {words}")

    def _write_day(self, title: str, day: DayReport) -> None:
        self.stdout.write(_line(title, day))
        for reason, count in day.refusals:
            self.stdout.write(f"{'':12}{count:>9} × {reason}")

    def _write_total(self, total: DayReport) -> None:
        self.stdout.write("")
        self._write_day("Total", total)
        self.stdout.write("\nCharges")
        for name, amount in total.charges.items:
            self.stdout.write(f"  {name.replace('_', ' '):20}{rupees(amount):>14}")

    def _write_proof(self, faults: list[str]) -> None:
        for fault in faults:
            self.stdout.write(self.style.ERROR(fault))
        if faults:
            raise CommandError(f"{len(faults)} figures are not what the trades make them")
        proof = "Positions, cash, profit and charges are what the trades make them, to the paisa."
        self.stdout.write(self.style.SUCCESS(f"\n{proof}"))


def _line(title: str, day: DayReport) -> str:
    counts = f"{day.signals:>9}{day.orders:>8}{day.filled_orders:>8}{day.fills:>7}"
    money = (signed(day.gross), rupees(day.charges.total), signed(day.net))
    return f"{title:12}{counts}" + "".join(f"{amount:>14}" for amount in money)


def _person(name: str | None) -> User:
    people = User.objects.filter(is_active=True).order_by("date_joined", "pk")
    person = people.filter(username=name).first() if name else people.first()
    if person is None:
        wanted = f"Nobody is called {name}" if name else "There is nobody yet"
        raise CommandError(f"{wanted}: make a user first (setup_demo or createsuperuser)")
    return person


def _desk(name: str, *, of: User) -> Workspace:
    """The desk of that name that the person sees; without a name the first one of their own."""
    seen = Workspace.objects.visible_to(of).exclude(name=WORKSPACE)
    chosen = seen.filter(name=name) if name else seen.filter(owner=of)
    desk = chosen.order_by("created_at", "pk").first()
    if desk is None:
        raise CommandError(f"{of} has no desk called {name}" if name else f"{of} has no desk")
    return desk


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not amount.is_finite() or amount <= 0:
        raise ValueError(text)
    return amount


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number

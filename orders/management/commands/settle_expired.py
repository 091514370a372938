"""List expired contracts that wait for a person, or enter the final price they wait for."""

import uuid
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from orders.management.commands.settle_order import person
from orders.services.expiring import settle_expired
from orders.services.settlement_prices import ReadPrice, SettlementRefused, enter_final_price
from portfolio.models import ExpirySettlement
from portfolio.models.settlements import ExpirySettlementQuerySet


class Command(BaseCommand):
    help = "Settle what can be and list the rest; with one's id and --price, enter its final price."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("settlement", nargs="?", type=uuid.UUID, help="Its id, as listed")
        parser.add_argument("--price", help="The underlying's final settlement price")
        parser.add_argument("--by", help="Sign-in name of the person who read it")
        parser.add_argument("--evidence", default="", help="Where it was read")
        parser.add_argument("--sure", action="store_true", help="It is right although far off")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["settlement"] is None:
            settle_expired(now=timezone.now())
            self._list()
            return
        if None in (options["price"], options["by"]):
            raise CommandError("Say --price, --evidence and --by: what was read, where, by whom")
        row = _rows().filter(pk=options["settlement"]).first()
        if row is None:
            raise CommandError("There is no such expired contract")
        read = ReadPrice(
            price=_price(options["price"]),
            evidence=options["evidence"],
            by=person(options["by"]),
            is_sure=options["sure"],
        )
        try:
            settled = enter_final_price(row, read, now=timezone.now())
        except (SettlementRefused, PermissionDenied) as refusal:
            raise CommandError(str(refusal)) from refusal
        for each in settled:
            self._write(each)

    def _list(self) -> None:
        rows = _rows().open().order_by("instrument__expiry", "instrument__key", "pk")
        for row in rows:
            self._write(row)
        if not rows:
            self.stdout.write("No expired contract waits.")

    def _write(self, row: ExpirySettlement) -> None:
        words = f"{row.account.name}: {row.quantity} {row.instrument.trading_symbol}"
        reason = f" ({row.reason})" if row.reason else ""
        self.stdout.write(f"{row.pk}  {words}, {row.get_state_display().lower()}{reason}")


def _price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise CommandError(f"{text} is no price") from error


def _rows() -> ExpirySettlementQuerySet:
    return ExpirySettlement.objects.select_related("account", "instrument", "workspace")

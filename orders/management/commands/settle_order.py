"""Settle an order of a past day that stayed unknown, by what a person has read at the broker."""

import contextlib
import uuid
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from orders.lifecycle import IllegalTransition
from orders.models import Order
from orders.services.deciding import (
    Ending,
    StillSettling,
    Verdict,
    WrittenTrade,
    check_over,
    check_unknown,
    check_verdict,
    settle_by_hand,
    words_of,
)
from orders.settle_form import written_trade
from orders.validation import OrderInvalid


class Command(BaseCommand):
    help = "Settle an unknown order of a past day. Without --yes it only says what it would do."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="The order's tag or id")
        parser.add_argument("--as", dest="ending", required=True, choices=[*Ending])
        parser.add_argument("--evidence", required=True, help="Where at the broker it was read")
        parser.add_argument("--by", required=True, help="Sign-in name of the person who says so")
        parser.add_argument("--broker-order", default="", help="The broker's order number")
        parser.add_argument(
            "--trade",
            nargs=3,
            action="append",
            default=[],
            metavar=("NUMBER", "QUANTITY", "PRICE"),
            help="One trade of a filled order; once for each",
        )
        parser.add_argument("--yes", action="store_true", help="Do it")

    def handle(self, *args: Any, **options: Any) -> None:
        order, by = _order(options["code"]), person(options["by"])
        verdict = Verdict(
            ending=Ending(options["ending"]),
            evidence=options["evidence"],
            broker_order_id=options["broker_order"].strip(),
            trades=tuple(_trade(parts) for parts in options["trade"]),
        )
        try:
            check_unknown(order)
            check_over(order, now=timezone.now())
            check_verdict(order, verdict)
            self.stdout.write(f"{order.tag}: {words_of(verdict)}")
            if not options["yes"]:
                self.stdout.write("Nothing was done. Add --yes to do it.")
                return
            settled = settle_by_hand(order, verdict, by=by, clock=timezone.now)
        except (OrderInvalid, StillSettling, IllegalTransition, PermissionDenied) as refusal:
            raise CommandError(f"{refusal}. Nothing was changed by hand.") from refusal
        self.stdout.write(self.style.SUCCESS(f"It is {settled.get_status_display().lower()}."))


def person(username: str) -> User:
    """:raises CommandError: when nobody who may act signs in by that name."""
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise CommandError(f"Nobody signs in as {username}")
    return found


def _order(code: str) -> Order:
    named = Q(tag=code)
    with contextlib.suppress(ValueError):  # a tag then
        named |= Q(pk=uuid.UUID(code))
    found = Order.objects.filter(named).select_related("instrument", "account", "workspace").first()
    if found is None:
        raise CommandError(f"No order has the tag or id {code}")
    return found


def _trade(parts: list[str]) -> WrittenTrade:
    try:
        return written_trade(parts)
    except forms.ValidationError as error:
        raise CommandError(f"--trade: {'; '.join(error.messages)}") from error

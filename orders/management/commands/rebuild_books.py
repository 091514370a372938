"""Prove that positions, cash, profit and charges are what the trades make them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from brokers.models import TradingAccount
from orders.booked_fills import booked_fills, unbooked_trades
from orders.services.charging import charge_trades
from portfolio.posting import ledger_faults
from portfolio.proving import differences, write_books
from portfolio.rebuilding import rebuild
from portfolio.services import lock_account


class Command(BaseCommand):
    help = "Derive the books anew from the trades and name every figure that differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="Name or id of one account; all of them without it")
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument("--check", action="store_true", help="Only look (the default)")
        mode.add_argument(
            "--charge",
            action="store_true",
            help="First post the charges of trades that were booked before their rates were known",
        )
        mode.add_argument(
            "--write",
            action="store_true",
            help="Set positions and sessions right; never the ledger",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for account in _accounts(options["account"]):
            if options["charge"]:
                self._charge(account)
            with transaction.atomic():
                lock_account(account)
                found += self._prove(account, is_writing=options["write"])
        if found:
            raise CommandError(f"{found} differences", returncode=1)
        self.stdout.write(self.style.SUCCESS("The books are what the trades make them."))

    def _charge(self, account: TradingAccount) -> None:
        charged = charge_trades(account, now=timezone.now())
        self.stdout.write(
            f"{account}: {charged.trades} trades charged, {charged.waiting} still without rates"
        )

    def _prove(self, account: TradingAccount, *, is_writing: bool) -> int:
        """Print what differs and return how much of it is left."""
        books = rebuild(booked_fills(account))
        if is_writing:
            self.stdout.write(f"{account}: {write_books(account, books)} rows set right")
        findings = [
            *(str(difference) for difference in differences(account, books)),
            *(f"Trade {trade_id} is not booked" for trade_id in unbooked_trades(account)),
            *(f"Voucher {each.voucher_number}: {each.fault}" for each in ledger_faults(account)),
        ]
        for finding in findings:
            self.stdout.write(f"{account}: {finding}")
        return len(findings)


def _accounts(named: str | None) -> list[TradingAccount]:
    accounts = TradingAccount.objects.order_by("created_at")
    if named is None:
        return list(accounts)
    chosen = [each for each in accounts if named in (each.name, str(each.pk))]
    if not chosen:
        raise CommandError(f"There is no account called {named}")
    return chosen

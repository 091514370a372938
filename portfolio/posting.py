"""The ledger: every voucher's debits equal its credits, and no line is ever changed."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, Subquery

from brokers.models import TradingAccount
from portfolio.models import LedgerEntry, LedgerName

NOTHING = Decimal(0)


class VoucherUnbalanced(Exception):
    """Debits and credits differ; nothing was written."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """Amounts per ledger: a debit is positive, a credit negative, and they add up to nothing."""

    number: str
    entry_date: date
    particulars: str
    amounts: Mapping[LedgerName, Decimal]


def post(account: TradingAccount, voucher: Voucher, *, now: datetime) -> list[LedgerEntry]:
    """Write a voucher's lines; the caller holds the account's lock.

    :raises VoucherUnbalanced: when its amounts do not add up to nothing.
    :raises IntegrityError: when a voucher of that number has been written before.
    """
    return post_all(account, [voucher], now=now)


def post_all(
    account: TradingAccount, vouchers: Sequence[Voucher], *, now: datetime
) -> list[LedgerEntry]:
    """Write the lines of many vouchers as :func:`post` does one after the other: all or none.

    :raises VoucherUnbalanced: when the amounts of one do not add up to nothing.
    :raises IntegrityError: when one of these numbers has been written before.
    """
    for voucher in vouchers:
        if sum(voucher.amounts.values(), NOTHING) != 0:
            raise VoucherUnbalanced(f"Voucher {voucher.number} does not balance")
    ledgers = dict.fromkeys(ledger for voucher in vouchers for ledger in voucher.amounts)
    balances, lines = ledger_balances(account, ledgers), []
    for voucher in vouchers:
        for ledger, amount in voucher.amounts.items():
            # The cash line is always there: its number makes a second posting impossible.
            if amount or ledger is LedgerName.CASH:
                balances[ledger] = balances.get(ledger, NOTHING) + amount
                lines.append(_line(account, voucher, ledger, balances[ledger], now=now))
    return LedgerEntry.objects.bulk_create(lines)


def _line(
    account: TradingAccount,
    voucher: Voucher,
    ledger: LedgerName,
    balance: Decimal,
    *,
    now: datetime,
) -> LedgerEntry:
    amount = voucher.amounts[ledger]
    return LedgerEntry(
        workspace_id=account.workspace_id,
        account=account,
        ledger=ledger,
        entry_date=voucher.entry_date,
        voucher_number=voucher.number,
        particulars=voucher.particulars[:300],
        debit=max(amount, NOTHING),
        credit=max(-amount, NOTHING),
        running_balance=balance,
        created_at=now,
    )


def ledger_balances(
    account: TradingAccount, ledgers: Iterable[LedgerName] = LedgerName
) -> dict[LedgerName, Decimal]:
    """Return each ledger's balance after its last line; one without lines is left out."""
    lines = LedgerEntry.objects.filter(account=account)
    newest = Q()
    for name in ledgers:
        of_ledger = lines.filter(ledger=name).order_by("-id")
        newest |= Q(pk=Subquery(of_ledger.values("pk")[:1]))
    found = lines.filter(newest).values_list("ledger", "running_balance")
    return {LedgerName(ledger): balance for ledger, balance in found}


def cash_balance(account: TradingAccount) -> Decimal:
    """Return the account's cash by our own books."""
    return ledger_balances(account, [LedgerName.CASH]).get(LedgerName.CASH, NOTHING)


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """Something in an account's ledger that cannot be."""

    account_id: uuid.UUID
    voucher_number: str
    fault: str


def ledger_faults(account: TradingAccount) -> list[LedgerFault]:
    """Prove the account's ledger line by line: every voucher balances, every balance follows."""
    balances: dict[str, Decimal] = {}
    vouchers: dict[str, Decimal] = {}
    faults = []
    for line in LedgerEntry.objects.filter(account=account).order_by("id").iterator():
        amount = line.debit - line.credit
        vouchers[line.voucher_number] = vouchers.get(line.voucher_number, NOTHING) + amount
        balances[line.ledger] = balances.get(line.ledger, NOTHING) + amount
        if line.running_balance != balances[line.ledger]:
            words = f"{line.ledger} says {line.running_balance}, it is {balances[line.ledger]}"
            faults.append(LedgerFault(account.pk, line.voucher_number, words))
            balances[line.ledger] = line.running_balance
    faults += [
        LedgerFault(account.pk, number, f"Debits and credits differ by {difference}")
        for number, difference in vouchers.items()
        if difference
    ]
    return faults

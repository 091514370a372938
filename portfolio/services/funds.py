"""Money in and out of an account, and what its broker says there is."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from brokers.gateway import FundsReport
from brokers.models import TradingAccount
from operations.events import publish
from operations.ids import new_id
from portfolio.models import Funds, LedgerEntry, LedgerName
from portfolio.posting import Voucher, cash_balance, post
from portfolio.services.sessions import lock_account
from portfolio.trading_days import account_day

_OPENING = "opening"
_REPORTED = (
    "cash",
    "available_balance",
    "sod_limit",
    "collateral_value",
    "margin_used",
    "margin_available",
    "withdrawable_balance",
)


# What a row can keep; no account has more.
_MOST = Decimal(10**11)


class AmountInvalid(Exception):
    """An amount of money that cannot be moved, in words."""


class FundsUnbelievable(Exception):
    """What a broker told of an account's money cannot be; nothing of it was noted."""


@transaction.atomic
def deposit(account: TradingAccount, *, amount: Decimal, now: datetime) -> Decimal:
    """Bring money into the account's books; return the cash there is then.

    :raises AmountInvalid: when the amount is not positive.
    """
    if not amount.is_finite() or amount <= 0:
        raise AmountInvalid("The amount must be more than nothing")
    return _move_capital(account, amount, "Money brought in", now=now)


@transaction.atomic
def withdraw(account: TradingAccount, *, amount: Decimal, now: datetime) -> Decimal:
    """Take money out of the account's books; return the cash that is left.

    :raises AmountInvalid: when the amount is not positive, or more than the cash there is.
    """
    if not amount.is_finite() or amount <= 0:
        raise AmountInvalid("The amount must be more than nothing")
    account = lock_account(account)
    cash = cash_balance(account)
    if amount > cash:
        raise AmountInvalid(f"Only {cash:,.2f} {account.currency} is there to be taken out")
    return _move_capital(account, -amount, "Money taken out", now=now)


@transaction.atomic
def refresh_funds(account: TradingAccount, report: FundsReport, *, now: datetime) -> Funds:
    """Note what the broker says; a report that changes nothing only renews the newest row.

    The first report of an account whose books hold no capital opens them with the broker's cash.

    :raises FundsUnbelievable: naming an amount that cannot be.
    """
    _check(report)
    account = lock_account(account)
    _open_books(account, report, now=now)
    funds = _funds_of(account, report, now=now)
    latest = Funds.objects.filter(account=account).order_by("-as_of", "-pk").first()
    if latest is not None and all(
        getattr(latest, name) == getattr(funds, name) for name in _REPORTED
    ):
        latest.as_of = now
        latest.save(update_fields=["as_of"])
        return latest
    funds.save(force_insert=True)
    TradingAccount.objects.filter(pk=account.pk).update(margin=report.available)
    publish("funds", workspace_id=account.workspace_id, subject_id=account.pk, now=now)
    return funds


def _check(report: FundsReport) -> None:
    for name, amount in asdict(report).items():
        if not amount.is_finite() or abs(amount) >= _MOST:
            raise FundsUnbelievable(f"The broker's money cannot be: {name} {amount}"[:200])


def _funds_of(account: TradingAccount, report: FundsReport, *, now: datetime) -> Funds:
    return Funds(
        workspace_id=account.workspace_id,
        account=account,
        cash=report.cash,
        available_balance=report.available,
        sod_limit=report.opening_balance,
        collateral_value=report.collateral,
        margin_used=report.margin_used,
        margin_available=report.available,
        withdrawable_balance=report.withdrawable,
        blocked_margin=report.margin_used,
        as_of=now,
    )


def _open_books(account: TradingAccount, report: FundsReport, *, now: datetime) -> None:
    lines = LedgerEntry.objects.filter(account=account, ledger=LedgerName.CAPITAL)
    missing = report.cash - cash_balance(account)
    if missing and not lines.exists():
        _post_capital(account, missing, number=_OPENING, particulars="Cash at the broker", now=now)


def _move_capital(
    account: TradingAccount, amount: Decimal, particulars: str, *, now: datetime
) -> Decimal:
    account = lock_account(account)
    _post_capital(account, amount, number=f"capital:{new_id()}", particulars=particulars, now=now)
    publish("funds", workspace_id=account.workspace_id, subject_id=account.pk, now=now)
    return cash_balance(account)


def _post_capital(
    account: TradingAccount, amount: Decimal, *, number: str, particulars: str, now: datetime
) -> None:
    voucher = Voucher(
        number=number,
        entry_date=account_day(account, now),
        particulars=particulars,
        amounts={LedgerName.CASH: amount, LedgerName.CAPITAL: -amount},
    )
    post(account, voucher, now=now)

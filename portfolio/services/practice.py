"""Practice accounts: the paper broker's made-up money and the house's books, moved together."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import User, Workspace
from accounts.permissions import require_trading_role
from brokers.models import TradingAccount
from brokers.registry import gateway_for
from brokers.services import add_paper_funds, open_paper_account
from portfolio.services.funds import deposit, refresh_funds, withdraw


@transaction.atomic
def open_practice_account(
    workspace: Workspace, *, user: User, name: str, cash: Decimal, now: datetime
) -> TradingAccount:
    """Open a paper account whose books begin with the cash that it opens with.

    :raises PermissionDenied: when the person may not trade in the workspace.
    :raises NameTaken: when there is an account of that name.
    :raises FundsInvalid: when the cash is negative.
    """
    require_trading_role(user, workspace)
    account = open_paper_account(workspace, user=user, name=name, cash=cash, now=now)
    refresh_practice_funds(account, now=now)
    return account


@transaction.atomic
def move_practice_money(
    account: TradingAccount, *, amount: Decimal, by: User, now: datetime
) -> None:
    """Bring made-up money in, or take it out (negative), at the broker and in the books.

    :raises PermissionDenied: when the person may not trade in the workspace.
    :raises NotPaper: when the account is at a real broker.
    :raises FundsInvalid: when nothing would move, or more than there is.
    :raises AmountInvalid: when the books hold less than would be taken out.
    """
    require_trading_role(by, account.workspace)
    # Books that have never been opened begin with what the broker has now, before it changes.
    refresh_practice_funds(account, now=now)
    add_paper_funds(account, amount=amount, now=now)
    if amount > 0:
        deposit(account, amount=amount, now=now)
    else:
        withdraw(account, amount=-amount, now=now)
    refresh_practice_funds(account, now=now)


def refresh_practice_funds(account: TradingAccount, *, now: datetime) -> None:
    """Note what the paper broker says of the account's money now.

    :raises GatewayUnavailable: when the database or the calendar cannot tell.
    """
    refresh_funds(account, gateway_for(account, clock=lambda: now).funds(), now=now)

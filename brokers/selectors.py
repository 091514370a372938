"""Reads for the brokers page."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import User, Workspace
from brokers.models import BrokerCall, TradingAccount

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Money(TypedDict):
        available_balance: Decimal | None
        margin_used: Decimal | None
        funds_at: datetime | None

    FundedAccount = WithAnnotations[TradingAccount, Money]


def accounts_on_page(user: User, workspace: Workspace) -> QuerySet[FundedAccount]:
    """Accounts with their broker and what that last said of their money.

    The money belongs to a floor above and is reached through the account's own relation.
    """
    newest = TradingAccount.objects.filter(pk=OuterRef("pk")).order_by(
        "-funds__as_of", "-funds__pk"
    )
    visible = TradingAccount.objects.visible_to(user).filter(workspace=workspace)
    return visible.select_related("connection__user").annotate(
        available_balance=Subquery(newest.values("funds__available_balance")[:1]),
        margin_used=Subquery(newest.values("funds__margin_used")[:1]),
        funds_at=Subquery(newest.values("funds__as_of")[:1]),
    )


def recent_calls(workspace: Workspace, limit: int = 20) -> list[BrokerCall]:
    calls = BrokerCall.objects.filter(connection__workspace=workspace)
    return list(calls.select_related("connection").order_by("-pk")[:limit])

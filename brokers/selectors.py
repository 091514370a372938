"""Reads for the brokers page."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User, Workspace
from brokers.models import (
    BrokerCall,
    BrokerConnection,
    StreamConnection,
    StreamStatus,
    TradingAccount,
)

OPEN_STREAMS = (StreamStatus.CONNECTED, StreamStatus.CONNECTING)
STREAMS_READ = 200

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Money(TypedDict):
        available_balance: Decimal | None
        margin_used: Decimal | None
        funds_at: datetime | None
        differing: int
        unreadable: int

    FundedAccount = WithAnnotations[TradingAccount, Money]


def accounts_on_page(user: User, workspace: Workspace) -> QuerySet[FundedAccount]:
    """Accounts with their broker, what that last said of their money, and what differs there.

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
        differing=differing_instruments(),
        unreadable=unreadable_rows(),
    )


def differing_instruments() -> Coalesce:
    """In how many instruments an account's positions are not what its broker tells: a column.

    They belong to a floor above, as the money does.
    """
    its_own = TradingAccount.objects.filter(
        pk=OuterRef("pk"), position_differences__state="OPEN"
    ).order_by()
    counted = its_own.values("pk").annotate(
        count=Count("position_differences__instrument_key", distinct=True)
    )
    return Coalesce(Subquery(counted.values("count")), 0)


def unreadable_rows() -> Coalesce:
    """How many rows of an account's lists at its broker cannot be read: a column."""
    its_own = TradingAccount.objects.filter(pk=OuterRef("pk")).order_by()
    counted = its_own.values("pk").annotate(count=Count("unreadable_rows"))
    return Coalesce(Subquery(counted.values("count")), 0)


def recent_calls(workspace: Workspace, limit: int = 20) -> list[BrokerCall]:
    calls = BrokerCall.objects.filter(connection__workspace=workspace)
    return list(calls.select_related("connection").order_by("-pk")[:limit])


def streams_of(connections: QuerySet[BrokerConnection]) -> list[StreamConnection]:
    """Return what the brokers tell by themselves: each open socket, else how the last one ended."""
    streams = StreamConnection.objects.filter(connection__in=connections)
    newest = streams.select_related("connection").order_by("-created_at")[:STREAMS_READ]
    shown: list[StreamConnection] = []
    told = set()
    for stream in sorted(newest, key=lambda each: each.status not in OPEN_STREAMS):
        kind = (stream.connection_id, stream.is_for_prices)
        if stream.status in OPEN_STREAMS or kind not in told:
            shown.append(stream)
            told.add(kind)
    return sorted(shown, key=lambda each: (each.connection.alias, each.is_for_prices))

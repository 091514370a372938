"""Marks and rules while prices move: value each account, judge its rules, close what they ask."""

import logging
import uuid
from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import PermissionDenied

from brokers.models import TradingAccount
from orders.models import OrderSource
from orders.services.exiting import NothingToExit, exit_position
from orders.services.placing import IdempotencyConflict, OrderInvalid
from portfolio.models import Position
from portfolio.services import mark_account
from risk.services import ProtectiveExit, evaluate_account

logger = logging.getLogger(__name__)


def exposed_accounts(accounts: Collection[TradingAccount] | None) -> list[TradingAccount]:
    """Return the accounts with open positions, among those given or all on the house's clock."""
    exposed = TradingAccount.objects.filter(
        pk__in=Position.objects.open().values("account"), is_active=True
    ).select_related("connection")
    if accounts is None:
        return list(exposed.filter(own_clock=False).order_by("pk"))
    return list(exposed.filter(pk__in=[account.pk for account in accounts]).order_by("pk"))


def watch_account(account: TradingAccount, *, now: datetime) -> None:
    """Mark one account, re-evaluate its rules and place the exits that they ask for."""
    mark_account(account, now=now)
    for demand in evaluate_account(account, now=now):
        place_protective_exit(demand, now=now)


def place_protective_exit(demand: ProtectiveExit, *, now: datetime) -> None:
    """Place the order that closes a position; at most one a minute for each rule.

    What cannot be closed now, as outside the session, is asked for again with the next prices.
    """
    position = Position.objects.open().select_related("account", "user", "instrument")
    for held in position.filter(pk=demand.position_id):
        try:
            exit_position(
                held,
                by=held.user,
                now=now,
                idempotency_key=exit_key(demand.rule_id, held.pk, now),
                source=OrderSource.RISK,
            )
        except NothingToExit:
            continue
        except (OrderInvalid, IdempotencyConflict, PermissionDenied) as error:
            logger.warning("protective exit not placed: %s", error)


def exit_key(rule_id: uuid.UUID, position_id: uuid.UUID, now: datetime) -> str:
    return f"protect:{rule_id.hex}:{position_id.hex}:{now:%Y%m%d%H%M}"

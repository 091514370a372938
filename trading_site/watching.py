"""Marks and rules while prices move: value each account, judge its rules, close what they ask."""

import logging
import uuid
from datetime import datetime

from django.core.exceptions import PermissionDenied

from brokers.models import TradingAccount
from operations.errors import contained
from orders.models import OrderSource
from orders.services.exiting import NothingToExit, exit_position
from orders.services.placing import IdempotencyConflict, OrderInvalid
from orders.services.protecting import tell_not_exited
from orders.states import OrderStatus
from portfolio.models import Position
from portfolio.services import mark_account
from risk.selectors import is_left_to_outside
from risk.services import ProtectiveExit, evaluate_account

logger = logging.getLogger(__name__)
_LEFT_TO_OUTSIDE = "an order placed in the broker's own app waits to close it"


def exposed_accounts() -> list[TradingAccount]:
    """Return the accounts with open positions that live by the house's clock."""
    exposed = TradingAccount.objects.filter(
        pk__in=Position.objects.open().values("account"), is_active=True, own_clock=False
    )
    return list(exposed.select_related("connection").order_by("pk"))


def watch_account(account: TradingAccount, *, now: datetime, is_traded: bool = True) -> None:
    """Mark one account, re-evaluate its rules and place the exits that they ask for.

    One that has not just traded is judged only while it has something open.
    """
    marked = mark_account(account, now=now)
    if marked is None and not is_traded:
        return
    for demand in evaluate_account(account, now=now):
        with contained("placing a protective exit", account_id=account.pk):
            place_protective_exit(demand, now=now)


def place_protective_exit(demand: ProtectiveExit, *, now: datetime) -> None:
    """Place the orders that close a position; at most once a minute for each rule.

    What cannot be closed now, as outside the session, is told its owner, and asked for again with
    the next prices.
    """
    position = Position.objects.open().select_related("account", "user", "instrument")
    for held in position.filter(pk=demand.position_id):
        try:
            orders = exit_position(
                held,
                by=held.user,
                now=now,
                idempotency_key=exit_key(demand.rule_id, held.pk, now),
                source=OrderSource.RISK,
            )
        except NothingToExit:
            if is_left_to_outside(held):
                tell_not_exited(held, _LEFT_TO_OUTSIDE, now=now)
            continue
        except (OrderInvalid, IdempotencyConflict, PermissionDenied) as error:
            logger.warning("protective exit not placed: %s", error)
            tell_not_exited(held, str(error), now=now)
            continue
        for order in orders:
            if order.state is OrderStatus.DENIED:
                tell_not_exited(held, order.error_message, now=now)


def exit_key(rule_id: uuid.UUID, position_id: uuid.UUID, now: datetime) -> str:
    return f"protect:{rule_id.hex}:{position_id.hex}:{now:%Y%m%d%H%M}"

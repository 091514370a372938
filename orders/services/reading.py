"""Read the brokers' books in turn, so that one broker's silence delays no other's books."""

import uuid
from functools import partial

from brokers.models import PostbackEvent, TradingAccount
from brokers.registry import Clock
from orders.lanes import Lanes
from orders.nudging import nudge_postback, nudge_reconciling, nudge_settling
from orders.services.postbacks import process_postback
from orders.services.reconciling import reconcile_due
from orders.services.settling import settle_account

# A worker has eight threads: two brokers that hang at once leave the others two.
_reading = Lanes(width=3)


def reconcile_in_turn(account_id: uuid.UUID, *, clock: Clock) -> None:
    """Reconcile one account, or leave it waiting while its broker has enough to answer."""
    again = partial(nudge_reconciling, account_id)
    with _reading.turn(_broker_of(account_id), ("reconcile", account_id), again) as has_room:
        if has_room:
            reconcile_due(account_id, clock=clock)


def settle_in_turn(account_id: uuid.UUID, *, clock: Clock) -> None:
    """Look up an account's unknown orders, before the other readings that wait for its broker."""
    again, key = partial(nudge_settling, account_id), ("settle", account_id)
    with _reading.turn(_broker_of(account_id), key, again, is_urgent=True) as has_room:
        if has_room:
            settle_account(account_id, clock=clock)


def process_in_turn(event_id: int, *, clock: Clock) -> None:
    """Look at what a postback hints at, or leave it waiting while its broker has enough."""
    events = PostbackEvent.objects.filter(pk=event_id)
    broker = events.values_list("config__connection__broker_type", flat=True).get()
    again = partial(nudge_postback, event_id)
    with _reading.turn(broker, ("postback", event_id), again) as has_room:
        if has_room:
            process_postback(event_id, clock=clock)


def _broker_of(account_id: uuid.UUID) -> str:
    accounts = TradingAccount.objects.filter(pk=account_id)
    return accounts.values_list("connection__broker_type", flat=True).get()

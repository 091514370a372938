"""Charge the trades that were booked without charges, once their rates are on file."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from brokers.models import TradingAccount
from operations.events import publish
from orders.booked_fills import booked_fills
from orders.models import OrderSource, Trade
from orders.services.trading import set_charges
from portfolio.charges import ChargesUnknown
from portfolio.fills import Fill
from portfolio.proving import write_charges
from portfolio.rebuilding import charges_of_fill, rebuild
from portfolio.services import lock_account, post_charges

_FIGURES = (
    "brokerage",
    "exchange_charges",
    "clearing_charges",
    "sebi_fee",
    "stt",
    "stamp_duty",
    "gst",
    "net_amount",
    "charges_known",
)


@dataclass(frozen=True, slots=True)
class Charged:
    """How many trades were charged now, and how many still wait for rates."""

    trades: int = 0
    waiting: int = 0


@transaction.atomic
def charge_trades(account: TradingAccount, *, now: datetime) -> Charged:
    """Post, for each trade booked without charges, those that the rates now on file make.

    Safe to run again: a trade is charged once. Positions and days follow; nothing else changes.
    """
    account = lock_account(account)
    waiting = {
        trade.pk: trade
        for trade in Trade.objects.filter(account=account, charges_known=False).exclude(
            order__source=OrderSource.ADJUSTMENT
        )
    }
    if not waiting:
        return Charged()
    events = list(booked_fills(account))
    charged = sum(
        _charge(waiting[each.trade_id], each, now=now)
        for each in events
        if isinstance(each, Fill) and each.trade_id in waiting
    )
    if charged:
        write_charges(account, rebuild(events))
        for kind in ("trades", "positions", "funds"):
            publish(kind, workspace_id=account.workspace_id, subject_id=account.pk, now=now)
    return Charged(charged, len(waiting) - charged)


def _charge(trade: Trade, fill: Fill, *, now: datetime) -> bool:
    try:
        charges = charges_of_fill(fill)
    except ChargesUnknown:
        return False
    post_charges(fill, charges.total, now=now)
    set_charges(trade, charges)
    trade.net_amount -= charges.total
    trade.charges_known = True
    trade.save(update_fields=_FIGURES)
    return True

"""Delivered shares: due a day after they are bought, sold from what is longest held."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django.db.models import F

from brokers.models import TradingAccount
from brokers.terms import InstrumentType, Side
from operations.ids import new_id
from portfolio.booking import SMALLEST
from portfolio.charges import ChargeGroup, charge_group
from portfolio.fills import Fill
from portfolio.models import Holding
from portfolio.trading_days import day_of_marks

_FIGURES = (
    "total_quantity",
    "dp_quantity",
    "t1_quantity",
    "pending_quantity",
    "t1_bought_on",
    "available_quantity",
    "average_price",
    "last_price",
    "as_of",
)


def holding_of(fill: Fill) -> Holding | None:
    """Return the row that a delivery trade's shares go to; other trades leave holdings alone."""
    if charge_group(InstrumentType(fill.instrument.instrument_type), fill.product) is not (
        ChargeGroup.DELIVERY
    ):
        return None
    held = Holding.objects.filter(account=fill.account, instrument=fill.instrument).first()
    return held or Holding(
        pk=new_id(),
        workspace_id=fill.account.workspace_id,
        account=fill.account,
        instrument=fill.instrument,
    )


def deliver(holding: Holding, fill: Fill, *, now: datetime) -> None:
    """Move a delivery trade's shares in or out; the caller saves the row."""
    if fill.side is Side.BUY:
        _take_in(holding, fill)
    else:
        _give_out(holding, fill.quantity)
    holding.last_price = fill.price
    holding.as_of = now


def settle_holdings(account: TradingAccount, *, now: datetime) -> int:
    """Turn what was bought before an exchange's latest day into settled shares; count the rows.

    The caller holds the account's lock.
    """
    waiting = Holding.objects.filter(account=account, t1_quantity__gt=0)
    settled = 0
    for exchange in set(waiting.values_list("instrument__exchange", flat=True)):
        due = waiting.filter(
            instrument__exchange=exchange, t1_bought_on__lt=day_of_marks([exchange], now)
        )
        settled += due.update(
            dp_quantity=F("dp_quantity") + F("t1_quantity"),
            t1_quantity=0,
            t1_bought_on=None,
            as_of=now,
        )
    return settled


def _take_in(holding: Holding, fill: Fill) -> None:
    if holding.t1_bought_on is not None and holding.t1_bought_on < fill.session_date:
        holding.dp_quantity += holding.t1_quantity
        holding.t1_quantity = 0
    cost = holding.average_price * holding.total_quantity + fill.price * fill.quantity
    holding.t1_quantity += fill.quantity
    holding.t1_bought_on = fill.session_date
    _count(holding)
    holding.average_price = (cost / holding.total_quantity).quantize(
        SMALLEST, rounding=ROUND_HALF_EVEN
    )


def _give_out(holding: Holding, quantity: int) -> None:
    """Settled shares go first. More than is held leaves none: the position shows the shortfall."""
    from_settled = min(quantity, holding.dp_quantity)
    holding.dp_quantity -= from_settled
    from_due = min(quantity - from_settled, holding.t1_quantity)
    holding.t1_quantity -= from_due
    # The broker had credited them, or it would not have sold them.
    left = quantity - from_settled - from_due
    holding.pending_quantity -= min(left, holding.pending_quantity)
    _count(holding)
    if not holding.total_quantity:
        holding.average_price = Decimal(0)
        holding.t1_bought_on = None


def _count(holding: Holding) -> None:
    settled = holding.dp_quantity + holding.t1_quantity
    holding.total_quantity = settled + holding.pending_quantity
    holding.available_quantity = max(settled - holding.collateral_quantity, 0)


def save_holding(holding: Holding) -> None:
    if holding._state.adding:
        holding.save(force_insert=True)
    else:
        holding.save(update_fields=_FIGURES)

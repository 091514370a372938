"""What an account is worth: its cash, and what its positions and holdings would fetch."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Sum

from brokers.models import TradingAccount
from brokers.terms import Product
from portfolio.models import Holding, NettedPosition, Position
from portfolio.posting import cash_balance

NOTHING = Decimal(0)


def capital_of(account: TradingAccount) -> Decimal:
    """Return cash and the value of everything open, at the last marks.

    Margined positions count with their gain only, since opening them moved no cash.
    """
    positions = list(Position.objects.open().filter(account=account))
    value = sum((each.open_cost + each.unrealized_pnl for each in positions), NOTHING)
    unpaid = NettedPosition.objects.filter(account=account).aggregate(sum=Sum("open_cost"))["sum"]
    worth = value - (NOTHING if unpaid is None else unpaid)
    return cash_balance(account) + worth + _worth_of_holdings(account, positions)


def _worth_of_holdings(account: TradingAccount, positions: Sequence[Position]) -> Decimal:
    """Value the shares that no position of ours accounts for, such as those bought elsewhere."""
    counted: dict[int, int] = {}
    for position in positions:
        if position.product in (Product.CNC, Product.MTF):
            key = position.instrument_id
            counted[key] = counted.get(key, 0) + position.quantity
    worth = NOTHING
    for holding in Holding.objects.filter(account=account, total_quantity__gt=0):
        uncounted = holding.total_quantity - max(counted.get(holding.instrument_id, 0), 0)
        price = holding.average_price if holding.last_price is None else holding.last_price
        worth += price * max(uncounted, 0)
    return worth

"""The cash a fill moves, by the rule that brokers keep."""

from decimal import Decimal

from brokers.terms import InstrumentType
from portfolio.booking import Book, Execution, apply_fill
from portfolio.charges import pays_full_value
from portfolio.fills import Fill
from portfolio.models import NettedPosition


def netted_position(fill: Fill) -> NettedPosition | None:
    """Return the row that a fill's cash goes by; None where it moves by its full value."""
    if pays_full_value(InstrumentType(fill.instrument.instrument_type), fill.product):
        return None
    netted, _ = NettedPosition.objects.get_or_create(
        account=fill.account, instrument=fill.instrument, product=fill.product
    )
    return netted


def move_cash(netted: NettedPosition | None, fill: Fill) -> Decimal:
    """Return the cash a fill moves before charges, in (+) or out (−); the caller saves the row.

    Delivery and option premium move by their full value. Intraday shares and futures move what
    they realise over all strategies of the account. The paper broker keeps the same rule.
    """
    execution = Execution(side=fill.side, quantity=fill.quantity, price=fill.price)
    if netted is None:
        return -execution.value * fill.side.sign
    before = Book(quantity=netted.quantity, open_cost=netted.open_cost)
    after = apply_fill(before, execution)
    netted.quantity, netted.open_cost = after.quantity, after.open_cost
    return after.realized

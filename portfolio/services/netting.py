"""The cash a fill moves, by the rule that brokers keep."""

from decimal import Decimal

from brokers.terms import InstrumentType
from portfolio.booking import Book, Execution, apply_fill
from portfolio.charges import pays_full_value
from portfolio.fills import Fill
from portfolio.models import NettedPosition


def book_cash(fill: Fill) -> Decimal:
    """Return the cash a fill moves before charges, in (+) or out (−).

    Delivery and option premium move by their full value. Intraday shares and futures move what
    they realise over all strategies of the account. The paper broker keeps the same rule.
    """
    execution = Execution(side=fill.side, quantity=fill.quantity, price=fill.price)
    if pays_full_value(InstrumentType(fill.instrument.instrument_type), fill.product):
        return -execution.value * fill.side.sign
    netted, _ = NettedPosition.objects.get_or_create(
        account=fill.account, instrument=fill.instrument, product=fill.product
    )
    before = Book(quantity=netted.quantity, open_cost=netted.open_cost)
    after = apply_fill(before, execution)
    netted.quantity, netted.open_cost = after.quantity, after.open_cost
    netted.save(update_fields=["quantity", "open_cost"])
    return after.realized

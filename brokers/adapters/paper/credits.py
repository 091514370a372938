"""Shares that a split or bonus adds to what a client holds, or that a consolidation takes away."""

from datetime import datetime
from decimal import Decimal

from brokers.adapters.paper.book import locked_book
from brokers.adapters.paper.sessions import indian_date
from brokers.adapters.paper.settlement import turn_day
from brokers.models import PaperContract, PaperDelivery, TradingAccount
from brokers.venue import installed_venue


def credit_shares(account: TradingAccount, key: str, quantity: int, *, at: datetime) -> None:
    """Add (+) or take off (−) settled shares at no cost; part of the caller's transaction."""
    contract = PaperContract.objects.filter(key=key).first()
    if contract is None or not quantity:
        return
    book = locked_book(account)
    turn_day(book, at=at, venue=installed_venue())
    held = PaperDelivery.objects.filter(book=book, contract=contract).order_by("settles_on")
    if quantity > 0:
        delivery, _ = held.get_or_create(
            book=book,
            contract=contract,
            settles_on=indian_date(at),
            defaults={"quantity": 0, "cost": Decimal(0)},
        )
        delivery.quantity += quantity
        delivery.save(update_fields=["quantity"])
        return
    _merge(list(held), -quantity)


def _merge(held: list[PaperDelivery], taken: int) -> None:
    """Leave one parcel of what is left, at the whole cost."""
    if not held:
        return
    first, *others = held
    left = max(sum(each.quantity for each in held) - taken, 0)
    first.quantity, first.cost = left, sum((each.cost for each in held), Decimal(0))
    for each in others:
        each.delete()
    if left:
        first.save(update_fields=["quantity", "cost"])
    else:
        first.delete()

"""Reads and locks of one paper account's book."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from brokers.adapters.paper.margins import Leg, margin_of_open
from brokers.adapters.paper.sessions import indian_date
from brokers.gateway import FundsReport, HoldingReport, InstrumentRef, PositionReport
from brokers.models import (
    PaperAccount,
    PaperContract,
    PaperDelivery,
    PaperOrder,
    PaperPosition,
    TradingAccount,
)
from brokers.terms import Product, Side


def locked_book(account: TradingAccount) -> PaperAccount:
    """Return the account's book, opening an empty one for a new client, and lock it."""
    PaperAccount.objects.get_or_create(account=account)
    return PaperAccount.objects.select_for_update().get(account=account)


def locked_books(ids: Iterable[int]) -> dict[int, PaperAccount]:
    """Lock several books, always in the same order, so that two workers never wait in a ring."""
    books = PaperAccount.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return {book.pk: book for book in books}


def contract_for(instrument: InstrumentRef) -> PaperContract:
    """Return the broker's row of the instrument, with the terms it was now told."""
    terms = {
        "exchange": instrument.exchange,
        "segment": instrument.segment,
        "trading_symbol": instrument.trading_symbol,
        "instrument_type": instrument.instrument_type,
        "lot_size": instrument.lot_size,
        "tick_size": instrument.tick_size,
        "freeze_quantity": instrument.freeze_quantity,
        "expiry": instrument.expiry,
        "strike": instrument.strike,
        "currency": instrument.currency,
    }
    contract, _ = PaperContract.objects.get_or_create(key=instrument.key, defaults=terms)
    changed = [name for name, value in terms.items() if getattr(contract, name) != value]
    for name in changed:
        setattr(contract, name, terms[name])
    if changed:
        contract.save(update_fields=changed)
    return contract


def net_quantity(book: PaperAccount, contract: PaperContract, product: Product) -> int:
    position = book.positions.filter(contract=contract, product=product).first()
    return position.quantity if position else 0


def pending_quantity(book: PaperAccount, leg: Leg, *, besides: PaperOrder | None = None) -> int:
    """Return what working orders on the leg's side may still trade."""
    working = book.orders.working().filter(
        contract__key=leg.instrument.key, product=leg.product, side=leg.side
    )
    if besides is not None:
        working = working.exclude(pk=besides.pk)
    return sum(order.remaining for order in working)


def delivered_quantity(book: PaperAccount, contract: PaperContract) -> int:
    held = book.deliveries.filter(contract=contract).aggregate(total=Sum("quantity"))["total"]
    return int(held or 0)


def free_money(book: PaperAccount, *, besides: PaperOrder | None = None) -> Decimal:
    """Return the cash that neither an order nor a position blocks."""
    return book.cash - blocked_by_orders(book, besides=besides) - blocked_by_positions(book)


def blocked_by_orders(book: PaperAccount, *, besides: PaperOrder | None = None) -> Decimal:
    orders = [order for order in book.orders.working() if besides is None or order != besides]
    return sum((order.blocked * order.remaining / order.quantity for order in orders), Decimal(0))


def blocked_by_positions(book: PaperAccount) -> Decimal:
    return sum((_blocked(position) for position in open_positions(book)), Decimal(0))


def open_positions(book: PaperAccount) -> list[PaperPosition]:
    return list(book.positions.exclude(quantity=0).select_related("contract"))


def position_leg(position: PaperPosition) -> Leg:
    side = Side.BUY if position.quantity > 0 else Side.SELL
    product = Product(position.product)
    return Leg(position.contract.ref(), product, side, abs(position.quantity))


def position_reports(book: PaperAccount) -> list[PositionReport]:
    return [
        PositionReport(
            instrument_key=position.contract.key,
            product=Product(position.product),
            quantity=position.quantity,
            average_price=_average(position.cost, abs(position.quantity)),
            buy_quantity=position.buy_quantity,
            sell_quantity=position.sell_quantity,
            realized_pnl=position.realized_pnl,
        )
        for position in book.positions.select_related("contract").order_by("contract__key")
    ]


def holding_reports(book: PaperAccount, *, at: datetime) -> list[HoldingReport]:
    today = indian_date(at)
    held: dict[str, list[PaperDelivery]] = defaultdict(list)
    for delivery in book.deliveries.select_related("contract").order_by("contract__key"):
        held[delivery.contract.key].append(delivery)
    return [
        HoldingReport(
            instrument_key=key,
            quantity=sum(each.quantity for each in parts if each.settles_on <= today),
            t1_quantity=sum(each.quantity for each in parts if each.settles_on > today),
            average_price=_average(
                sum((each.cost for each in parts), Decimal(0)),
                sum(each.quantity for each in parts),
            ),
        )
        for key, parts in held.items()
    ]


def funds_report(book: PaperAccount) -> FundsReport:
    used = (blocked_by_orders(book) + blocked_by_positions(book)).quantize(Decimal("0.01"))
    available = book.cash - used
    return FundsReport(
        cash=book.cash,
        margin_used=used,
        available=available,
        opening_balance=book.opening_cash,
        withdrawable=max(available, Decimal(0)),
    )


def _blocked(position: PaperPosition) -> Decimal:
    leg = position_leg(position)
    return margin_of_open(leg, position.cost / leg.quantity).total


def _average(cost: Decimal, quantity: int) -> Decimal:
    return (cost / quantity).quantize(Decimal("0.0001")) if quantity else Decimal(0)

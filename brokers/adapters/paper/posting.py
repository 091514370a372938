"""What a trade, or the end of an expired contract, does to a position and its book's cash."""

from datetime import datetime

from brokers.adapters.paper.margins import Leg, PositionState, booked, cash_change
from brokers.models import EntryKind, PaperAccount, PaperLedgerEntry, PaperPosition, PaperTrade
from brokers.terms import Product, Side
from brokers.venue import Settlement


def settle_position(
    book: PaperAccount, position: PaperPosition, settlement: Settlement, *, at: datetime
) -> list[PaperLedgerEntry]:
    """End a position at its final price, not counted among the day's trades; answer its entries."""
    side = Side.SELL if position.quantity > 0 else Side.BUY
    quantity = abs(position.quantity)
    leg = Leg(position.contract.ref(), Product(position.product), side, quantity)
    before = _state_of(position)
    after = booked(before, side=side, quantity=quantity, price=settlement.price)
    position.quantity, position.cost = after.quantity, after.cost
    position.realized_pnl = after.realized_pnl
    realized = after.realized_pnl - before.realized_pnl
    amount = cash_change(leg, price=settlement.price, realized=realized)
    book.cash += amount - settlement.charges
    amounts = ((EntryKind.SETTLEMENT, amount), (EntryKind.CHARGES, -settlement.charges))
    return [
        PaperLedgerEntry(book=book, kind=kind, amount=money, at=at)
        for kind, money in amounts
        if money
    ]


def _state_of(position: PaperPosition) -> PositionState:
    return PositionState(
        quantity=position.quantity,
        cost=position.cost,
        buy_quantity=position.buy_quantity,
        sell_quantity=position.sell_quantity,
        realized_pnl=position.realized_pnl,
    )


def post_trade(
    book: PaperAccount, position: PaperPosition, trade: PaperTrade
) -> list[PaperLedgerEntry]:
    """Book one trade on its position and its cash; answer the two ledger entries."""
    order = trade.order
    leg = Leg(order.contract.ref(), Product(order.product), Side(order.side), trade.quantity)
    before = _state_of(position)
    after = booked(before, side=leg.side, quantity=trade.quantity, price=trade.price)
    position.quantity = after.quantity
    position.cost = after.cost
    position.buy_quantity = after.buy_quantity
    position.sell_quantity = after.sell_quantity
    position.realized_pnl = after.realized_pnl
    position.session_date = max(position.session_date, order.session_date)
    realized = after.realized_pnl - before.realized_pnl
    amount = cash_change(leg, price=trade.price, realized=realized)
    book.cash += amount - trade.charges
    return [
        PaperLedgerEntry(book=book, kind=kind, amount=money, trade=trade, at=trade.traded_at)
        for kind, money in ((EntryKind.TRADE, amount), (EntryKind.CHARGES, -trade.charges))
        if money
    ]

"""Positions that the broker closes by itself: intraday ones late in the day, expired contracts."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Q

from brokers.adapters.paper.book import position_leg
from brokers.adapters.paper.keeper import Keeper, OwnOrder
from brokers.adapters.paper.sessions import (
    indian_date,
    is_after_square_off,
    is_session_over,
    phase_at,
)
from brokers.gateway import BrokerStatus, PlaceRequest
from brokers.models import PaperOrder, PaperPosition
from brokers.terms import OrderType, Product, Validity
from brokers.venue import CalendarUnknown, Phase


def close_positions(
    orders: Sequence[PaperOrder], scope: Q, *, at: datetime, keeper: Keeper
) -> None:
    """Close what is due in the scope, whose live orders are handed in."""
    due = Q(product=Product.MIS) | Q(contract__expiry__lte=indian_date(at))
    positions = PaperPosition.objects.filter(scope & due).exclude(quantity=0)
    for position in positions.select_related("contract", "book__account"):
        expiry = position.contract.expiry
        if expiry is not None and _has_expired(position, expiry, at, keeper):
            _settle(position, keeper)
        elif position.product == Product.MIS and _is_square_off_due(position, at, keeper):
            _square_off(position, orders, at, keeper)


def _has_expired(position: PaperPosition, expiry: date, at: datetime, keeper: Keeper) -> bool:
    try:
        return is_session_over(keeper.venue, position.contract.ref(), expiry, at)
    except CalendarUnknown:
        return False


def _settle(position: PaperPosition, keeper: Keeper) -> None:
    """End it as the exchange does, without an order; until that is known nothing is settled."""
    settlement = keeper.venue.settlement(
        position.contract.ref(),
        quantity=position.quantity,
        workspace_id=position.book.account.workspace_id,
    )
    if settlement is not None:
        keeper.settle(position, settlement)


def _is_square_off_due(position: PaperPosition, at: datetime, keeper: Keeper) -> bool:
    instrument = position.contract.ref()
    if phase_at(keeper.venue, instrument, at) is not Phase.OPEN:
        return False
    return is_after_square_off(keeper.venue, instrument, position.session_date, at)


def _square_off(
    position: PaperPosition, orders: Sequence[PaperOrder], at: datetime, keeper: Keeper
) -> None:
    """Cancel the client's orders on the position first, then close the rest at market."""
    mine = [order for order in orders if order.is_working and _is_of(order, position)]
    for order in mine:
        if not order.is_square_off:
            why = "Cancelled by the broker before the intraday square-off"
            keeper.change(order, BrokerStatus.CANCELLED, at=at, why=why)
    pending = sum(order.remaining for order in mine if order.is_square_off)
    missing = abs(position.quantity) - pending
    if missing > 0:
        own = OwnOrder(
            book=position.book,
            request=_closing_request(position, missing),
            session_date=keeper.venue.session_date(position.contract.ref(), at),
            why="Squared off by the broker",
        )
        keeper.open_order(own)


def _is_of(order: PaperOrder, position: PaperPosition) -> bool:
    is_same = order.contract_id == position.contract_id and order.product == position.product
    return is_same and order.book_id == position.book_id


def _closing_request(position: PaperPosition, quantity: int) -> PlaceRequest:
    leg = position_leg(position)
    return PlaceRequest(
        tag="",
        instrument=leg.instrument,
        side=leg.side.opposite,
        quantity=quantity,
        order_type=OrderType.MARKET,
        product=leg.product,
        validity=Validity.DAY,
    )

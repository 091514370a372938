"""The turn of the day: deliveries due, counters reset, cash noted. Runs before a book is used."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from django.db.models import F, Q, QuerySet

from brokers.adapters.paper.margins import BOOK_UNIT
from brokers.adapters.paper.sessions import indian_date, session_at
from brokers.models import PaperAccount, PaperDelivery, PaperPosition
from brokers.terms import Product
from brokers.venue import Venue


def is_due(book: PaperAccount, *, at: datetime) -> bool:
    """Tell whether the turn of the day may have something to do for the book."""
    today = indian_date(at)
    is_new_day = book.opened_on is None or book.opened_on < today
    return is_new_day or _positions_of_earlier_days(book, today).exists()


def turn_day(book: PaperAccount, *, at: datetime, venue: Venue) -> None:
    """Bring a locked book to the Indian day of ``at``; does nothing when it is there already."""
    today = indian_date(at)
    for position in _positions_of_earlier_days(book, today):
        session = session_at(venue, position.contract.ref(), at)
        if session is not None and session > position.session_date:
            _carry(position, today=today, venue=venue)
    if book.opened_on is None or book.opened_on < today:
        book.opened_on = today
        book.opening_cash = book.cash
        book.save(update_fields=["opened_on", "opening_cash"])


def _positions_of_earlier_days(book: PaperAccount, today: date) -> QuerySet[PaperPosition]:
    """Leave out open intraday positions: they stay due until they are squared off."""
    return (
        book.positions.filter(session_date__lt=today)
        .exclude(~Q(quantity=0), product=Product.MIS)
        .select_related("contract")
    )


def _carry(position: PaperPosition, *, today: date, venue: Venue) -> None:
    if position.product == Product.NRML and position.quantity:
        position.session_date = today
        position.buy_quantity = position.sell_quantity = 0
        position.realized_pnl = Decimal(0)
        position.save()
        return
    if position.quantity > 0:
        _receive(position, venue=venue)
    elif position.quantity < 0:
        _deliver(position)
    position.delete()


def _receive(position: PaperPosition, *, venue: Venue) -> None:
    settles_on = venue.settles_on(position.contract.ref(), position.session_date)
    delivery, is_new = PaperDelivery.objects.get_or_create(
        book_id=position.book_id,
        contract_id=position.contract_id,
        settles_on=settles_on,
        defaults={"quantity": position.quantity, "cost": position.cost},
    )
    if not is_new:
        PaperDelivery.objects.filter(pk=delivery.pk).update(
            quantity=F("quantity") + position.quantity, cost=F("cost") + position.cost
        )


def _deliver(position: PaperPosition) -> None:
    """Take what was sold out of the shares held, the longest held first."""
    wanted = -position.quantity
    held = PaperDelivery.objects.filter(book_id=position.book_id, contract_id=position.contract_id)
    for delivery in held.order_by("settles_on"):
        taken = min(wanted, delivery.quantity)
        wanted -= taken
        if taken == delivery.quantity:
            delivery.delete()
        elif taken:
            left = delivery.quantity - taken
            share = delivery.cost * left / delivery.quantity
            delivery.cost = share.quantize(BOOK_UNIT, ROUND_HALF_EVEN)
            delivery.quantity = left
            delivery.save(update_fields=["quantity", "cost"])

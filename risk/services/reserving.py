"""Hold what an order may still become against the limits, from its judgement to its end."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from brokers.models import TradingAccount
from brokers.terms import Product, Side
from market.models import Instrument
from risk.models import Reservation


@dataclass(frozen=True, slots=True)
class Held:
    """An order that nobody judged here, such as one placed in the broker's own app."""

    order_id: uuid.UUID
    account: TradingAccount
    instrument: Instrument
    side: Side
    product: Product
    quantity: int
    price: Decimal | None
    session_date: date


def hold(held: Held, *, now: datetime) -> None:
    """Count an external order against the limits; its margin is the broker's business already.

    It is no strategy's: until it fills it counts in the books that it would close by then.
    """
    Reservation.objects.get_or_create(
        order_id=held.order_id,
        defaults={
            "workspace_id": held.account.workspace_id,
            "account": held.account,
            "instrument": held.instrument,
            "is_outside": True,
            "product": held.product,
            "side": held.side,
            "quantity": held.quantity,
            "price": held.price or Decimal(0),
            "session_date": held.session_date,
            "created_at": now,
            "handed_over_at": now,
        },
    )


def hand_over(order_id: uuid.UUID, *, now: datetime) -> None:
    """Note that the broker has the order, and blocks its margin from now on."""
    Reservation.objects.filter(order_id=order_id, handed_over_at=None).update(handed_over_at=now)


def hold_remaining(order_id: uuid.UUID, *, remaining: int, now: datetime) -> None:
    """Hold exactly what an order may still add to a position; nothing left releases it."""
    held = Reservation.objects.filter(order_id=order_id)
    if remaining > 0:
        held.update(quantity=remaining, released_at=None)
    else:
        held.update(quantity=0, released_at=Coalesce(F("released_at"), Value(now)))

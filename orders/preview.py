"""What an order would need and cost, told before it is sent. Nothing is written or reserved."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.terms import InstrumentType
from brokers.venue import CalendarUnknown, installed_venue
from orders.requests import OrderRequest
from orders.services.appraising import appraise, reference_price
from orders.services.placing import conditions_for
from orders.validation import OrderInvalid, check_request
from portfolio.charges import ChargeBreakdown, ChargesUnknown, order_charges
from portfolio.rates import Tariff, rates_for

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class MarginPreview:
    """What the order would block of the account's money, and where that takes the margin used."""

    needed: Decimal
    available: Decimal
    used: Decimal

    @property
    def is_short(self) -> bool:
        return self.needed > self.available

    @property
    def short_by(self) -> Decimal:
        return self.needed - self.available

    @property
    def used_percent(self) -> Decimal:
        return self._percent(self.used)

    @property
    def after_percent(self) -> Decimal:
        return self._percent(self.used + self.needed)

    @property
    def added_percent(self) -> Decimal:
        return max(self.after_percent - self.used_percent, Decimal(0))

    def _percent(self, part: Decimal) -> Decimal:
        whole = self.used + self.available
        return min(part * HUNDRED / whole, HUNDRED) if whole > 0 else Decimal(0)


@dataclass(frozen=True, slots=True)
class Preview:
    """``value`` is quantity times the price it would be judged at. None: nobody can tell."""

    value: Decimal | None
    margin: MarginPreview | None
    charges: ChargeBreakdown | None
    errors: dict[str, list[str]]


def preview_order(request: OrderRequest, *, now: datetime) -> Preview:
    """Appraise an order as :func:`place_order` would, and say what refuses it already."""
    price = reference_price(request, now)
    value = price * request.quantity if price is not None else None
    return Preview(
        value=value,
        margin=_margin(request, now) if value is not None else None,
        charges=_charges(request, value, now) if value is not None else None,
        errors=_errors(request, now),
    )


def _errors(request: OrderRequest, now: datetime) -> dict[str, list[str]]:
    try:
        check_request(request, conditions_for(request, now))
    except OrderInvalid as error:
        return error.errors
    return {}


def _margin(request: OrderRequest, now: datetime) -> MarginPreview | None:
    known = appraise(request, now)
    if known.margin is None or known.available is None:
        return None
    return MarginPreview(needed=known.margin.total, available=known.available, used=known.used)


def _charges(request: OrderRequest, value: Decimal, now: datetime) -> ChargeBreakdown | None:
    instrument = request.instrument
    try:
        tariff = Tariff(
            exchange=instrument.exchange,
            instrument_type=InstrumentType(instrument.instrument_type),
            product=request.product,
            side=request.side,
            on=installed_venue().session_date(instrument.ref(), now),
        )
        return order_charges(value, rates_for(tariff))
    except (CalendarUnknown, ChargesUnknown):
        return None

"""What an order would need and cost, told before it is sent. Nothing is written or reserved."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.terms import InstrumentType
from brokers.venue import CalendarUnknown, installed_venue
from orders.requests import OrderRequest
from orders.services.appraising import Appraisal, appraise
from orders.services.slicing import decide
from orders.slicing import parts_of
from orders.validation import OrderInvalid
from portfolio.charges import ChargeBreakdown, ChargesUnknown, order_charges
from portfolio.rates import Tariff, rates_for
from risk.proposal import Verdict
from risk.selectors import free_money

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
    """``value`` is quantity times the price it would be evaluated at. None: nobody can tell.

    ``decision`` is what risk answers to it now; None for an order with errors, which never
    comes before risk. ``orders`` is in how many it leaves, above the freeze quantity.
    """

    value: Decimal | None
    margin: MarginPreview | None
    charges: ChargeBreakdown | None
    errors: dict[str, list[str]]
    decision: Verdict | None = None
    orders: int = 1


def preview_order(request: OrderRequest, *, now: datetime) -> Preview:
    """Appraise an order, and decide on it by the function by which it is placed."""
    known, errors, decision = appraise(request, now), dict[str, list[str]](), None
    try:
        decision = decide(request, known, now)
    except OrderInvalid as error:
        errors = error.errors
    price = known.reference_price
    value = price * request.quantity if price is not None else None
    is_exit = decision is not None and decision.is_exit
    return Preview(
        value=value,
        margin=_margin(request, known, is_exit=is_exit) if value is not None else None,
        charges=_charges(request, value, now) if value is not None else None,
        errors=errors,
        decision=decision,
        orders=len(parts_of(request, at=now)),
    )


def _margin(request: OrderRequest, known: Appraisal, *, is_exit: bool) -> MarginPreview | None:
    """What closes a position blocks nothing. Orders on their way count as used."""
    if known.margin is None or known.available is None:
        return None
    free = free_money(request.account, available=known.available, as_of=known.as_of)
    return MarginPreview(
        needed=Decimal(0) if is_exit else known.margin.total,
        available=free,
        used=known.used + known.available - free,
    )


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

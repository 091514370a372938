"""What an order would need and cost, told before it is sent. Nothing is written or reserved."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from brokers.terms import InstrumentType
from brokers.venue import CalendarUnknown, installed_venue
from orders.requests import OrderRequest
from orders.services.appraising import Appraisal, appraise
from orders.services.placing import conditions_for
from orders.services.slicing import foreseen
from orders.slicing import check_entry, parts_of
from orders.validation import OrderInvalid, check_request
from portfolio.charges import ChargeBreakdown, ChargesUnknown, order_charges
from portfolio.rates import Tariff, rates_for
from risk.proposal import Verdict

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
    """``value`` is quantity times the price it would be judged at. None: nobody can tell.

    ``foreseen`` is how risk would judge it now; None without a price, or for no valid order.
    ``orders`` is in how many it leaves, where it is above the freeze quantity.
    """

    value: Decimal | None
    margin: MarginPreview | None
    charges: ChargeBreakdown | None
    errors: dict[str, list[str]]
    foreseen: Verdict | None = None
    orders: int = 1


def preview_order(request: OrderRequest, *, now: datetime) -> Preview:
    """Appraise an order as :func:`place_order` would, and say what refuses it already."""
    known, errors = appraise(request, now), _errors(request, now)
    price = known.reference_price
    value = price * request.quantity if price is not None else None
    verdict = foreseen(request, known, now) if value is not None and not errors else None
    is_exit = verdict is not None and verdict.is_exit
    if not errors and not is_exit:
        errors = _entry_errors(request, now)
    return Preview(
        value=value,
        margin=_margin(known, is_exit=is_exit) if value is not None else None,
        charges=_charges(request, value, now) if value is not None else None,
        errors=errors,
        foreseen=None if errors else verdict,
        orders=len(parts_of(request, at=now)),
    )


def _errors(request: OrderRequest, now: datetime) -> dict[str, list[str]]:
    part = parts_of(request, at=now)[0]
    try:
        check_request(part, conditions_for(part, now))
    except OrderInvalid as error:
        return error.errors
    return {}


def _entry_errors(request: OrderRequest, now: datetime) -> dict[str, list[str]]:
    try:
        check_entry(request, at=now)
    except OrderInvalid as error:
        return error.errors
    return {}


def _margin(known: Appraisal, *, is_exit: bool) -> MarginPreview | None:
    """What closes a position blocks nothing."""
    if known.margin is None or known.available is None:
        return None
    needed = Decimal(0) if is_exit else known.margin.total
    return MarginPreview(needed=needed, available=known.available, used=known.used)


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

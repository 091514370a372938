"""Hold an order against its instrument, its broker and the clock, in words beside each field."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain

from brokers.capabilities import Capabilities, why_not
from brokers.terms import InstrumentType, OrderType, Product, Segment
from brokers.venue import Phase, PriceBand
from operations.figures import rupees
from operations.sentences import as_sentences
from orders.requests import OrderRequest

MOST_UNITS = 10**9
Complaint = tuple[str, str]
# Prices that would be kept and never acted on: somebody would rely on them.
IDLE_PRICES = {
    "tp_price": "A take-profit cannot come with an order: place it as an order of its own",
    "sl_price": "A stop-loss cannot come with an order: place it as an order of its own",
}


class OrderInvalid(Exception):
    """The order cannot be sent as asked. ``errors`` maps each field to its complaints."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(as_sentences(chain.from_iterable(errors.values())))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the order is held against.

    ``last_price`` is None where nobody knows one, ``freeze`` where no freeze quantity is known,
    ``sellable`` unless shares of a split or bonus wait for their credit.
    """

    capabilities: Capabilities | None
    phase: Phase
    today: date
    band: PriceBand | None
    last_price: Decimal | None
    now: datetime
    freeze: int | None = None
    sellable: int | None = None


def check_request(request: OrderRequest, conditions: Conditions) -> None:
    """Let a sound request pass.

    :raises OrderInvalid: naming every complaint, field by field.
    """
    errors: dict[str, list[str]] = {}
    for check in _CHECKS:
        for field, message in check(request, conditions):
            errors.setdefault(field, []).append(message)
    if errors:
        raise OrderInvalid(errors)


def _instrument(request: OrderRequest, conditions: Conditions) -> Iterator[Complaint]:
    instrument = request.instrument
    if not instrument.is_active and not request.reduce_only:
        yield "instrument", f"{instrument.trading_symbol} is no longer listed"
    if instrument.instrument_type == InstrumentType.INDEX:
        yield "instrument", f"{instrument.trading_symbol} is an index and cannot be traded"
    if instrument.expiry is not None and instrument.expiry < conditions.today:
        yield "instrument", f"{instrument.trading_symbol} expired on {instrument.expiry:%d %b %Y}"


def _quantity(request: OrderRequest, conditions: Conditions) -> Iterator[Complaint]:
    lot, freeze = request.instrument.lot_size, conditions.freeze
    if request.quantity <= 0:
        yield "quantity", "Quantity must be at least 1"
    elif request.quantity > MOST_UNITS:
        yield "quantity", f"Quantity cannot exceed {rupees(MOST_UNITS, 0)}"
    elif request.quantity % lot:
        yield "quantity", f"Quantity must be a multiple of the lot, {lot}"
    elif freeze and request.quantity > freeze:
        yield (
            "quantity",
            f"One order may carry at most {rupees(freeze - freeze % lot, 0)}: send it in parts",
        )
    if conditions.sellable is not None and request.quantity > conditions.sellable:
        yield (
            "quantity",
            f"Only {rupees(conditions.sellable, 0)} can be sold now: the others are of a split or "
            "bonus and not credited yet",
        )
    if not 0 <= request.disclosed_quantity <= max(request.quantity, 0):
        yield "disclosed_quantity", "Disclosed quantity cannot exceed the quantity"


def _prices(request: OrderRequest, conditions: Conditions) -> Iterator[Complaint]:
    kind = request.order_type
    fields = (
        ("price", "price", request.price, kind.needs_price),
        ("trigger_price", "trigger price", request.trigger_price, kind.needs_trigger),
    )
    for field, words, price, is_needed in fields:
        if (price is not None) != is_needed:
            takes = f"needs a {words}" if is_needed else f"takes no {words}"
            yield field, f"A {kind.label.lower()} order {takes}"
        if price is not None:
            yield from _one_price(field, price, request, conditions)


def _one_price(
    field: str, price: Decimal, request: OrderRequest, conditions: Conditions
) -> Iterator[Complaint]:
    tick, band = request.instrument.tick_size, conditions.band
    if not price.is_finite() or price <= 0:
        yield field, "A price must be more than 0"
    elif price % tick:
        yield field, f"Prices move in steps of {tick.normalize():f}"
    elif band is not None and not band.lower <= price <= band.upper:
        yield field, f"Today's band is {rupees(band.lower)} to {rupees(band.upper)}"


def _trigger_side(request: OrderRequest, conditions: Conditions) -> Iterator[Complaint]:
    trigger, last, sign = request.trigger_price, conditions.last_price, request.side.sign
    if trigger is None or not trigger.is_finite():
        return
    side = request.side.lower()
    above, below = ("above", "below") if sign > 0 else ("below", "above")
    price = request.price
    if price is not None and price.is_finite() and (price - trigger) * sign < 0:
        yield "price", f"A {side} stop's limit cannot be {below} its trigger"
    if last is not None and (trigger - last) * sign <= 0:
        words = f"A {side} stop's trigger must be {above} the last price, {rupees(last)}"
        yield "trigger_price", words


def _nothing_idle(request: OrderRequest, _: Conditions) -> Iterator[Complaint]:
    for field, words in IDLE_PRICES.items():
        if getattr(request, field) is not None:
            yield field, words


def _capability(request: OrderRequest, conditions: Conditions) -> Iterator[Complaint]:
    able = conditions.capabilities
    if able is None:
        segment, alias = Segment(request.instrument.segment), request.account.connection.alias
        yield "instrument", why_not(segment, broker=alias)
        return
    if request.order_type not in able.order_types:
        yield "order_type", f"{request.order_type.label} orders are not taken here"
    if request.product not in able.products:
        yield "product", f"{request.product.label} is not offered here"
    if request.validity not in able.validities:
        yield "validity", f"{request.validity.label} is not offered here"
    if request.disclosed_quantity and not able.disclosed_quantity:
        yield "disclosed_quantity", "This broker takes no disclosed quantity"


def _product_fits(request: OrderRequest, _: Conditions) -> Iterator[Complaint]:
    kind = InstrumentType(request.instrument.instrument_type)
    if kind.is_derivative and request.product in (Product.CNC, Product.MTF):
        yield "product", "Delivery is for shares: choose MIS or NRML"
    if kind is InstrumentType.EQ and request.product is Product.NRML:
        yield "product", "Carry forward is for futures and options: choose MIS or CNC"
    if kind.is_option and request.order_type is OrderType.SL_M:
        yield "order_type", "Exchanges take no stop-loss market orders in options: use a limit"


def _session(request: OrderRequest, conditions: Conditions) -> Iterator[Complaint]:
    able = conditions.capabilities
    if request.is_amo and able is not None and not able.amo:
        yield "is_amo", "This broker takes no after-market orders"
    elif conditions.phase is Phase.OPEN and request.is_amo:
        yield "is_amo", "The market is open: send it as a regular order"
    elif conditions.phase is Phase.CLOSING_PAUSE:
        yield "instrument", "No orders are taken while the closing price is found (15:15 to 15:20)"
    elif conditions.phase in (Phase.CLOSED, Phase.POST_CLOSE) and not request.is_amo:
        yield "instrument", "The market is closed: choose after-market to queue it for the open"


_CHECKS: tuple[Callable[[OrderRequest, Conditions], Iterator[Complaint]], ...] = (
    _instrument,
    _quantity,
    _prices,
    _trigger_side,
    _nothing_idle,
    _capability,
    _product_fits,
    _session,
)

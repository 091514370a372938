"""Why the paper broker would not take an order: an exchange's checks and a broker's, in words.

Pure: what must be known of the moment is handed in as a :class:`Situation`. The rules follow the
NSE's contract specifications and the order windows of Indian brokers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from brokers.adapters.paper.capability import taken_on
from brokers.gateway import PlaceRequest, Refused
from brokers.terms import InstrumentType, OrderType, Product, Segment, Side, Validity
from brokers.venue import Phase, PriceBand


class Proof(StrEnum):
    """The paper broker's own refusal codes."""

    NOT_TRADABLE = "EXCHANGE:NOT_TRADABLE"
    EXPIRED_CONTRACT = "EXCHANGE:EXPIRED_CONTRACT"
    PRODUCT = "OMS:PRODUCT"
    ORDER_TYPE = "EXCHANGE:ORDER_TYPE"
    QUANTITY = "EXCHANGE:QUANTITY"
    FREEZE = "EXCHANGE:FREEZE_QUANTITY"
    PRICE = "EXCHANGE:PRICE"
    TICK = "EXCHANGE:TICK_SIZE"
    TRIGGER = "EXCHANGE:TRIGGER"
    BAND = "EXCHANGE:PRICE_BAND"
    SESSION = "EXCHANGE:SESSION"
    CALENDAR = "EXCHANGE:CALENDAR"
    SQUARE_OFF = "RMS:SQUARE_OFF"
    HOLDINGS = "RMS:HOLDINGS"
    MARGIN = "RMS:MARGIN"
    CHARGES = "RMS:CHARGES"
    NO_PRICE = "RMS:NO_PRICE"
    NO_ORDER = "OMS:NO_ORDER"
    NOT_WORKING = "OMS:NOT_WORKING"
    ROLLED_BACK = "OMS:ROLLED_BACK"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the broker knows at the moment of the order, besides the order itself.

    ``sellable`` is how many delivery shares may still be sold; ``is_waiting`` is whether the
    order changed is still queued for the open.
    """

    phase: Phase
    session_date: date
    is_after_square_off: bool
    sellable: int
    band: PriceBand | None = None
    last: Decimal | None = None


_Check = Callable[[PlaceRequest, Situation], str | None]


def objection(request: PlaceRequest, situation: Situation) -> Refused | None:
    """Return the first reason against the order, None when there is none but money."""
    for proof, check in _CHECKS:
        reason = check(request, situation)
        if reason is not None:
            return Refused(reason, proof)
    return None


def _tradable(request: PlaceRequest, _: Situation) -> str | None:
    instrument = request.instrument
    is_index = instrument.instrument_type is InstrumentType.INDEX
    if is_index or taken_on(instrument.segment) is None:
        return f"{instrument.trading_symbol} is an index: it is quoted, not traded"
    return None


def _unexpired(request: PlaceRequest, situation: Situation) -> str | None:
    expiry = request.instrument.expiry
    if expiry is not None and expiry < situation.session_date:
        return f"{request.instrument.trading_symbol} expired on {expiry:%d %b %Y}"
    return None


def _product(request: PlaceRequest, _: Situation) -> str | None:
    capabilities = taken_on(request.instrument.segment)
    if capabilities is None or request.product in capabilities.products:
        return None
    allowed = " or ".join(sorted(capabilities.products))
    return f"{request.product} is not traded on {request.instrument.segment}: use {allowed}"


def _order_type(request: PlaceRequest, _: Situation) -> str | None:
    kind = request.instrument.instrument_type
    if kind.is_option and request.order_type is OrderType.SL_M:
        return "SL-M orders are not taken for options since 27 Sep 2021: use SL with a limit price"
    return None


def _quantity(request: PlaceRequest, _: Situation) -> str | None:
    lot = request.instrument.lot_size
    if request.quantity <= 0:
        return "The quantity must be positive"
    if request.quantity % lot:
        return f"The quantity {request.quantity} is not a multiple of the lot size {lot}"
    if not 0 <= request.disclosed_quantity <= request.quantity:
        return "The disclosed quantity cannot be more than the order's"
    return None


def _freeze(request: PlaceRequest, _: Situation) -> str | None:
    freeze = request.instrument.freeze_quantity
    if freeze is None or request.quantity <= freeze:
        return None
    most = freeze // request.instrument.lot_size * request.instrument.lot_size
    return f"The quantity {request.quantity} is above the freeze quantity: at most {most} an order"


def _prices(request: PlaceRequest, _: Situation) -> str | None:
    if request.order_type.needs_price and (request.price is None or request.price <= 0):
        return f"A {request.order_type} order needs a price"
    if request.order_type.needs_trigger and not (request.trigger_price or 0) > 0:
        return f"A {request.order_type} order needs a trigger price"
    return None


def _tick(request: PlaceRequest, _: Situation) -> str | None:
    tick = request.instrument.tick_size
    for price in _named_prices(request):
        if price % tick:
            return f"The price {price:f} is not a multiple of the tick size {tick.normalize():f}"
    return None


def _trigger(request: PlaceRequest, situation: Situation) -> str | None:
    trigger = request.trigger_price
    if not request.order_type.needs_trigger or trigger is None:
        return None
    is_buy = request.side is Side.BUY
    where = "above" if is_buy else "below"
    if situation.last is not None and (trigger - situation.last) * request.side.sign <= 0:
        return (
            f"The trigger {trigger:f} of a {request.side.lower()} stop must be {where}"
            f" the last price {situation.last:f}"
        )
    if request.order_type is OrderType.SL and request.price is not None:
        return _limit_beyond_trigger(request, price=request.price, trigger=trigger)
    return None


def _limit_beyond_trigger(request: PlaceRequest, *, price: Decimal, trigger: Decimal) -> str | None:
    gap = (price - trigger) * request.side.sign
    if gap < 0:
        where = "below" if request.side is Side.BUY else "above"
        return f"The limit {price:f} of a {request.side.lower()} stop cannot be {where} its trigger"
    widest = _widest_gap(request, trigger)
    if widest is not None and gap > widest:
        return f"The limit may lie at most {widest.normalize():f} beyond the trigger {trigger:f}"
    return None


def _widest_gap(request: PlaceRequest, trigger: Decimal) -> Decimal | None:
    """NSE/CM/57613: up to 50 rupees a fixed gap, above it a percentage of the trigger."""
    if request.instrument.segment is Segment.US_EQ:
        return None
    if request.instrument.instrument_type.is_option:
        return Decimal(10) if trigger <= 50 else trigger * Decimal("0.20")
    return Decimal("1.5") if trigger <= 50 else trigger * Decimal("0.03")


def _band(request: PlaceRequest, situation: Situation) -> str | None:
    band = situation.band
    if band is None:
        return None
    for price in _named_prices(request):
        if not band.lower <= price <= band.upper:
            return f"The price {price:f} is outside today's band {band.lower:f} to {band.upper:f}"
    return None


def _session(request: PlaceRequest, situation: Situation) -> str | None:
    phase = situation.phase
    if request.is_amo:
        if phase in (Phase.CLOSED, Phase.POST_CLOSE):
            return None
        return "After-market orders are taken while the market is closed; it is open now"
    if phase is Phase.OPEN:
        return None
    if phase is Phase.PRE_OPEN:
        is_plain = request.order_type in (OrderType.LIMIT, OrderType.MARKET)
        if is_plain and request.validity is Validity.DAY:
            return None
        return "Before the open only market and limit orders for the day are taken"
    if phase in (Phase.CLOSING_PAUSE, Phase.CLOSING_AUCTION):
        return "Continuous trading has ended, and the paper broker takes no part in the auction"
    return "The market is closed: send it as an after-market order, or wait for the open"


def _square_off(request: PlaceRequest, situation: Situation) -> str | None:
    is_late = situation.is_after_square_off and not request.is_amo
    if request.product is Product.MIS and is_late:
        return "Intraday positions are being squared off: no MIS order is taken until tomorrow"
    return None


def _holdings(request: PlaceRequest, situation: Situation) -> str | None:
    is_share = request.instrument.instrument_type is InstrumentType.EQ
    if not is_share or request.product is not Product.CNC or request.side is Side.BUY:
        return None
    if request.quantity <= situation.sellable:
        return None
    symbol = request.instrument.trading_symbol
    return (
        f"Only {situation.sellable} shares of {symbol} can be sold for delivery,"
        f" {request.quantity} asked: shares cannot be sold short for delivery"
    )


def _named_prices(request: PlaceRequest) -> list[Decimal]:
    named = []
    if request.order_type.needs_price and request.price is not None:
        named.append(request.price)
    if request.order_type.needs_trigger and request.trigger_price is not None:
        named.append(request.trigger_price)
    return named


_CHECKS: tuple[tuple[Proof, _Check], ...] = (
    (Proof.NOT_TRADABLE, _tradable),
    (Proof.EXPIRED_CONTRACT, _unexpired),
    (Proof.PRODUCT, _product),
    (Proof.ORDER_TYPE, _order_type),
    (Proof.QUANTITY, _quantity),
    (Proof.FREEZE, _freeze),
    (Proof.PRICE, _prices),
    (Proof.TICK, _tick),
    (Proof.TRIGGER, _trigger),
    (Proof.BAND, _band),
    (Proof.SESSION, _session),
    (Proof.SQUARE_OFF, _square_off),
    (Proof.HOLDINGS, _holdings),
)

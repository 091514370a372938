"""What an order or a position blocks, and what a fill does to cash. The one place that says so.

* Delivery shares and options are paid in full: a buy takes its value out of cash, a sale brings it.
* Intraday shares and futures move cash only by the profit or loss of what is closed.
* Intraday shares block 20 % of their value, futures 15 % of it, short options 15 % of the strike's
  value; long options and delivered shares block nothing more. Simple percentages stand for the
  exchange's SPAN and VAR files, and are the paper broker's own policy.
* Charges leave cash with each fill. Open profit is not money until it is realised.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal

from brokers.adapters.paper.protection import protected_price
from brokers.gateway import InstrumentRef, Margin, PlaceRequest
from brokers.terms import InstrumentType, OrderType, Product, Side

INTRADAY_SHARE = Decimal("0.20")
FUTURE_SHARE = Decimal("0.15")
SHORT_OPTION_SHARE = Decimal("0.15")
PAISA = Decimal("0.01")
BOOK_UNIT = Decimal("0.0001")


class MarginUnknown(Exception):
    """No margin can be told for this order."""


@dataclass(frozen=True, slots=True)
class Leg:
    """So many of an instrument, to one side, under one product."""

    instrument: InstrumentRef
    product: Product
    side: Side
    quantity: int

    @property
    def is_paid_in_full(self) -> bool:
        is_share = self.instrument.instrument_type is InstrumentType.EQ
        is_delivery = is_share and self.product is not Product.MIS
        return is_delivery or self.instrument.instrument_type.is_option


@dataclass(frozen=True, slots=True)
class PositionState:
    """A position as a fold over its fills; ``cost`` is what the open quantity traded for."""

    quantity: int = 0
    cost: Decimal = Decimal(0)
    buy_quantity: int = 0
    sell_quantity: int = 0
    realized_pnl: Decimal = Decimal(0)


def margin_to_open(leg: Leg, price: Decimal) -> Margin:
    """Return what opening the leg takes: its whole value, or the margin it will block.

    :raises MarginUnknown: when a short option has no strike.
    """
    if leg.is_paid_in_full and leg.side is Side.BUY:
        return Margin(total=_rounded_up(price * leg.quantity))
    return margin_of_open(leg, price)


def margin_of_open(leg: Leg, price: Decimal) -> Margin:
    """Return what the leg blocks once it is open.

    :raises MarginUnknown: when a short option has no strike.
    """
    kind = leg.instrument.instrument_type
    if leg.is_paid_in_full:
        if leg.side is Side.BUY or not kind.is_option:
            return Margin(total=Decimal(0))
        span = _rounded_up(_strike(leg.instrument) * leg.quantity * SHORT_OPTION_SHARE)
        return Margin(total=span, span=span)
    share = INTRADAY_SHARE if kind is InstrumentType.EQ else FUTURE_SHARE
    amount = _rounded_up(price * leg.quantity * share)
    if kind is InstrumentType.EQ:
        return Margin(total=amount, var=amount)
    return Margin(total=amount, span=amount)


def price_for_margin(
    leg: Leg, *, order_type: OrderType, price: Decimal | None, last: Decimal | None
) -> Decimal | None:
    """Return the worst price the order may trade at, None where no price is known at all."""
    if order_type.needs_price and price is not None:
        # A sale at a low limit trades at the market, so the higher of the two is what it risks.
        return price if leg.side is Side.BUY or last is None else max(price, last)
    if last is None:
        return None
    instrument = leg.instrument
    if leg.side is Side.SELL:
        return last
    return protected_price(
        last,
        side=leg.side,
        instrument_type=instrument.instrument_type,
        tick_size=instrument.tick_size,
    )


def order_margin(request: PlaceRequest, *, last: Decimal | None) -> Margin | None:
    """Return what an order would block if nothing else were open; None where nothing tells."""
    leg = Leg(request.instrument, request.product, request.side, request.quantity)
    price = price_for_margin(leg, order_type=request.order_type, price=request.price, last=last)
    return None if price is None else margin_to_open(leg, price)


def booked(state: PositionState, *, side: Side, quantity: int, price: Decimal) -> PositionState:
    """Add one fill: what it closes is realised, what is left of it opens at its price."""
    closing = min(abs(state.quantity), quantity) if state.quantity * side.sign < 0 else 0
    released = Decimal(0)
    if closing:
        share = state.cost * closing / abs(state.quantity)
        released = share.quantize(BOOK_UNIT, ROUND_HALF_EVEN)
    gain = (released - price * closing) * side.sign
    is_buy = side is Side.BUY
    return PositionState(
        quantity=state.quantity + quantity * side.sign,
        cost=state.cost - released + price * (quantity - closing),
        buy_quantity=state.buy_quantity + (quantity if is_buy else 0),
        sell_quantity=state.sell_quantity + (0 if is_buy else quantity),
        realized_pnl=state.realized_pnl + gain,
    )


def cash_change(leg: Leg, *, price: Decimal, realized: Decimal) -> Decimal:
    """Return how a fill of the leg moves cash, before charges."""
    if leg.is_paid_in_full:
        return -price * leg.quantity * leg.side.sign
    return realized


def _strike(instrument: InstrumentRef) -> Decimal:
    if instrument.strike is None:
        raise MarginUnknown(f"{instrument.trading_symbol} has no strike: its margin is unknown")
    return instrument.strike


def _rounded_up(amount: Decimal) -> Decimal:
    return amount.quantize(PAISA, ROUND_UP)

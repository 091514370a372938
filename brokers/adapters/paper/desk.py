"""What the paper broker's desk does with an order, a change and a cancel, in a locked book."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_UP, Decimal

from brokers.adapters.paper import book as books
from brokers.adapters.paper.acceptance import Proof, Situation, objection
from brokers.adapters.paper.keeper import new_order
from brokers.adapters.paper.latency import acknowledgement_delay
from brokers.adapters.paper.margins import (
    BOOK_UNIT,
    Leg,
    margin_to_open,
    price_for_margin,
)
from brokers.adapters.paper.sessions import is_after_square_off, session_of_new_order
from brokers.gateway import (
    Accepted,
    BrokerStatus,
    ModifyRequest,
    Outcome,
    PlaceRequest,
    Refused,
)
from brokers.models import PaperAccount, PaperContract, PaperOrder
from brokers.terms import OrderType, Product, Side, Validity
from brokers.venue import Venue


@dataclass(frozen=True, slots=True)
class Desk:
    """One locked book at one moment.

    What the venue cannot tell, and the margin of an option without a strike, is raised: whoever
    asks turns it into a refusal.
    """

    book: PaperAccount
    venue: Venue
    at: datetime

    def place(self, request: PlaceRequest) -> Outcome:
        """Take the order or say why not; a tag that was taken before is never taken twice."""
        known = self.book.orders.filter(tag=request.tag).first() if request.tag else None
        if known is not None:
            return Accepted(known.broker_order_id, known.placed_at)
        need = self._judge(request, besides=None)
        if isinstance(need, Refused):
            return need
        order = new_order(self.book, request, at=self.at)
        order.contract = books.contract_for(request.instrument)
        order.session_date = session_of_new_order(self.venue, request.instrument, self.at)
        order.blocked = need
        order.save()
        self.book.save(update_fields=["order_count"])
        return Accepted(order.broker_order_id, self.at)

    def modify(self, request: ModifyRequest) -> Outcome:
        """Change a working order; unless it only shrinks, it goes to the back of the queue."""
        order = self._working_order(request.broker_order_id)
        if isinstance(order, Refused):
            return order
        if request.quantity <= order.filled_quantity:
            reason = f"{order.filled_quantity} are filled already: cancel the rest instead"
            return Refused(reason, Proof.QUANTITY)
        whole = _as_changed(order, request)
        need = self._judge(whole, besides=order)
        if isinstance(need, Refused):
            return need
        remaining = request.quantity - order.filled_quantity
        blocked = (need * request.quantity / remaining).quantize(BOOK_UNIT, ROUND_UP)
        self._change(order, request, blocked=blocked)
        return Accepted(order.broker_order_id, self.at)

    def cancel(self, broker_order_id: str) -> Outcome:
        order = self._working_order(broker_order_id)
        if isinstance(order, Refused):
            return order
        order.status = BrokerStatus.CANCELLED
        order.message = "Cancelled on request"
        self._save(order)
        return Accepted(order.broker_order_id, self.at)

    def _working_order(self, broker_order_id: str) -> PaperOrder | Refused:
        order = (
            self.book.orders.filter(broker_order_id=broker_order_id)
            .select_related("contract")
            .first()
        )
        if order is None:
            return Refused(f"There is no order {broker_order_id}", Proof.NO_ORDER)
        if not order.is_working:
            return Refused(f"The order is {order.status} already", Proof.NOT_WORKING)
        if order.is_square_off:
            return Refused("The order is the broker's own square-off", Proof.SQUARE_OFF)
        return order

    def _judge(self, request: PlaceRequest, *, besides: PaperOrder | None) -> Decimal | Refused:
        """Return the money the order blocks, or the first reason against it."""
        contract = PaperContract.objects.filter(key=request.instrument.key).first()
        situation = self._situation(request, contract, besides=besides)
        refusal = objection(request, situation)
        if refusal is not None:
            return refusal
        return self._money(request, contract, situation, besides=besides)

    def _situation(
        self, request: PlaceRequest, contract: PaperContract | None, *, besides: PaperOrder | None
    ) -> Situation:
        instrument = request.instrument
        session = session_of_new_order(self.venue, instrument, self.at)
        sale = Leg(instrument, request.product, Side.SELL, request.quantity)
        sellable = besides.filled_quantity if besides else 0
        if contract is not None and request.product is Product.CNC:
            sellable += books.delivered_quantity(self.book, contract)
            sellable += books.net_quantity(self.book, contract, request.product)
            sellable -= books.pending_quantity(self.book, sale, besides=besides)
        return Situation(
            phase=self.venue.phase(instrument, self.at),
            session_date=session,
            is_after_square_off=is_after_square_off(self.venue, instrument, session, self.at),
            sellable=max(sellable, 0),
            band=self.venue.price_band(instrument, session),
            last=self.venue.last_price(instrument),
        )

    def _money(
        self,
        request: PlaceRequest,
        contract: PaperContract | None,
        situation: Situation,
        *,
        besides: PaperOrder | None,
    ) -> Decimal | Refused:
        """Block nothing for what only closes: an exit never waits for money."""
        opening = self._opening_leg(request, contract, besides=besides)
        price = price_for_margin(
            opening, order_type=request.order_type, price=request.price, last=situation.last
        )
        if price is None and opening.quantity:
            symbol = request.instrument.trading_symbol
            reason = f"No price of {symbol} is known, so its margin cannot be told"
            return Refused(reason, Proof.NO_PRICE)
        # Asked even of an exit: what cannot be charged later is not taken now.
        charges = self._charges(opening, price or Decimal(0), on=situation.session_date)
        if price is None or not opening.quantity:
            return Decimal(0)
        need = margin_to_open(opening, price).total + charges
        available = books.free_money(self.book, besides=besides)
        if need <= available:
            return need
        short = f"this order needs ₹{need:,.2f} and ₹{available:,.2f} is available"
        return Refused(f"Insufficient funds: {short}", Proof.MARGIN)

    def _charges(self, leg: Leg, price: Decimal, *, on: date) -> Decimal:
        return self.venue.charges(
            leg.instrument,
            side=leg.side,
            product=leg.product,
            quantity=leg.quantity,
            turnover=price * leg.quantity,
            on=on,
        )

    def _opening_leg(
        self, request: PlaceRequest, contract: PaperContract | None, *, besides: PaperOrder | None
    ) -> Leg:
        filled = besides.filled_quantity if besides else 0
        leg = Leg(request.instrument, request.product, request.side, request.quantity - filled)
        if contract is None:
            return leg
        against = -books.net_quantity(self.book, contract, request.product) * request.side.sign
        closing = against - books.pending_quantity(self.book, leg, besides=besides)
        return replace(leg, quantity=leg.quantity - min(max(closing, 0), leg.quantity))

    def _change(self, order: PaperOrder, request: ModifyRequest, *, blocked: Decimal) -> None:
        only_shrinks = request.quantity <= order.quantity and not _is_repriced(order, request)
        order.order_type = request.order_type
        order.validity = request.validity
        order.quantity = request.quantity
        order.price = request.price if request.order_type.needs_price else None
        order.trigger_price = request.trigger_price if request.order_type.needs_trigger else None
        order.blocked = blocked
        order.message = "Changed on request"
        order.status = _status_after_change(order)
        if not only_shrinks:
            order.live_at = self.at + acknowledgement_delay(order.number)
            order.is_resting = False
            order.cap = None
        self._save(order)

    def _save(self, order: PaperOrder) -> None:
        order.sequence += 1
        order.is_untold = True
        order.updated_at = self.at
        order.save()


def _as_changed(order: PaperOrder, request: ModifyRequest) -> PlaceRequest:
    """Return the order as it would be, to be judged like a new one.

    A stop that was triggered is judged as what it has become, since its trigger no longer counts.
    """
    order_type = request.order_type
    if order.triggered_at is not None and order_type.needs_trigger:
        order_type = OrderType.LIMIT if order_type is OrderType.SL else OrderType.MARKET
    return PlaceRequest(
        tag=order.tag,
        instrument=request.instrument,
        side=Side(order.side),
        quantity=request.quantity,
        order_type=order_type,
        product=Product(order.product),
        validity=Validity(request.validity),
        price=request.price,
        trigger_price=request.trigger_price,
        disclosed_quantity=min(order.disclosed_quantity, request.quantity),
        is_amo=order.status == BrokerStatus.QUEUED_AMO,
    )


def _is_repriced(order: PaperOrder, request: ModifyRequest) -> bool:
    before = (order.order_type, order.price, order.trigger_price)
    return before != (request.order_type, request.price, request.trigger_price)


def _status_after_change(order: PaperOrder) -> BrokerStatus:
    if order.status in (BrokerStatus.PLACED, BrokerStatus.QUEUED_AMO):
        return BrokerStatus(order.status)
    if order.filled_quantity:
        return BrokerStatus.PARTIALLY_FILLED
    waits = OrderType(order.order_type).needs_trigger and order.triggered_at is None
    return BrokerStatus.TRIGGER_PENDING if waits else BrokerStatus.OPEN

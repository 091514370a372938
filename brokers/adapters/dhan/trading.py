"""Writes of single orders: placing, slicing, changing, cancelling, converting."""

from collections.abc import Sequence

from brokers.abilities import ConvertRequest
from brokers.adapters.dhan import outcomes, words
from brokers.adapters.dhan.answers import Answer
from brokers.adapters.dhan.client import DhanClient, in_path
from brokers.adapters.dhan.way import Way
from brokers.adapters.dhan.words import Unsendable
from brokers.gateway import CancelRequest, ModifyRequest, Outcome, PlaceRequest
from brokers.terms import OrderType, Product, Side
from brokers.transport import Exchange

_LONGEST_TAG = 30


class Trading(Way):
    def place(self, request: PlaceRequest) -> Outcome:
        return self._write(
            lambda client: _place(client, request, is_sliced=False), self._judge_order
        )

    def place_sliced(self, request: PlaceRequest) -> Sequence[Outcome]:
        """Send an order above the freeze quantity; every slice carries the order's tag."""
        sent = self._send(lambda client: _place(client, request, is_sliced=True))
        if not isinstance(sent, Exchange):
            return [sent]
        return outcomes.judge_slices(sent, at=self._clock())

    def modify(self, request: ModifyRequest) -> Outcome:
        return self._write(
            lambda client: _modify(client, request),
            lambda exchange: outcomes.judge(
                exchange, at=self._clock(), order_id=request.broker_order_id
            ),
        )

    def cancel(self, request: CancelRequest) -> Outcome:
        return self._write(
            lambda client: client.cancel_order(in_path(named(request.broker_order_id))),
            lambda exchange: outcomes.judge(
                exchange, at=self._clock(), order_id=request.broker_order_id
            ),
        )

    def convert(self, request: ConvertRequest) -> Outcome:
        return self._write(
            lambda client: _convert(client, request),
            lambda exchange: outcomes.judge_conversion(exchange, at=self._clock()),
        )

    def _judge_order(self, exchange: Exchange) -> Outcome:
        return outcomes.judge(exchange, at=self._clock())


def named(order_id: str) -> str:
    """:raises Unsendable: without an id, which would name all orders."""
    if not order_id:
        raise Unsendable("The order has no number at Dhan yet")
    return order_id


def tag_to_send(tag: str) -> str:
    """:raises Unsendable: when Dhan would cut it, and the order could not be found again."""
    if len(tag) > _LONGEST_TAG:
        raise Unsendable(f"Dhan takes tags of {_LONGEST_TAG} characters, not {tag!r}")
    return tag


def product_to_send(product: Product) -> str:
    """:raises Unsendable: for cover and bracket orders, which are super orders at Dhan."""
    if product not in words.PRODUCTS:
        raise Unsendable(f"Dhan takes no single order under {product}: send it as a bracket")
    return words.PRODUCTS[product]


def _place(client: DhanClient, request: PlaceRequest, *, is_sliced: bool) -> Answer:
    instrument = request.instrument
    priced = request.order_type.needs_price
    answer: Answer = client.place_order(
        security_id=words.number_of(instrument),
        exchange_segment=words.segment_of(instrument),
        transaction_type=request.side.value,
        quantity=words.quantity_to_send(instrument, request.quantity),
        order_type=words.ORDER_TYPES[request.order_type],
        product_type=product_to_send(request.product),
        price=words.price_to_send(request.price if priced else None),
        trigger_price=words.price_to_send(request.trigger_price),
        disclosed_quantity=words.quantity_to_send(instrument, request.disclosed_quantity),
        after_market_order=request.is_amo,
        validity=request.validity.value,
        tag=tag_to_send(request.tag),
        should_slice=is_sliced,
    )
    return answer


def _modify(client: DhanClient, request: ModifyRequest) -> Answer:
    is_market = request.order_type in (OrderType.MARKET, OrderType.SL_M)
    answer: Answer = client.modify_order(
        order_id=in_path(named(request.broker_order_id)),
        order_type=words.ORDER_TYPES[request.order_type],
        leg_name=None,
        quantity=words.quantity_to_send(request.instrument, request.quantity),
        price=words.price_to_send(None if is_market else request.price),
        trigger_price=words.price_to_send(request.trigger_price),
        disclosed_quantity=None,  # left out, so that what the order discloses stays as it is
        validity=request.validity.value,
    )
    return answer


def _convert(client: DhanClient, request: ConvertRequest) -> Answer:
    answer: Answer = client.convert_position(
        from_product_type=product_to_send(request.old_product),
        exchange_segment=words.segment_of(request.instrument),
        position_type="LONG" if request.side is Side.BUY else "SHORT",
        security_id=words.number_of(request.instrument),
        convert_qty=words.quantity_to_send(request.instrument, request.quantity),
        to_product_type=product_to_send(request.new_product),
    )
    return answer

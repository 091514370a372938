"""Orders that stand and wait: forever orders (good till triggered) and super orders (brackets)."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from brokers.abilities import (
    BracketRequest,
    TriggerLeg,
    TriggerReport,
    TriggerRequest,
    TriggerStatus,
)
from brokers.adapters.dhan import outcomes, rows, words
from brokers.adapters.dhan.answers import Answer
from brokers.adapters.dhan.client import DhanClient, in_path
from brokers.adapters.dhan.trading import named, product_to_send, tag_to_send
from brokers.adapters.dhan.way import Way, accepted_all
from brokers.adapters.dhan.words import Unsendable
from brokers.answers import not_sent
from brokers.capabilities import TriggerKind
from brokers.gateway import Accepted, InstrumentRef, Outcome
from brokers.rows import Listed, read_rows, rows_of
from brokers.terms import OrderType, Product, Side
from brokers.values import MOST_PRICE, Row, count, known, number, required, text

_LEGS = "legs"
_FIRST_LEG, _SECOND_LEG = "TARGET_LEG", "STOP_LOSS_LEG"
_STATUSES = {
    "CONFIRM": TriggerStatus.ACTIVE,
    "PENDING": TriggerStatus.ACTIVE,
    "TRANSIT": TriggerStatus.ACTIVE,
    "TRIGGERED": TriggerStatus.TRIGGERED,
    "TRADED": TriggerStatus.TRIGGERED,
    "CLOSED": TriggerStatus.TRIGGERED,
    "CANCELLED": TriggerStatus.CANCELLED,
    "REJECTED": TriggerStatus.REJECTED,
    "EXPIRED": TriggerStatus.EXPIRED,
}
_FOREVER_PRODUCTS = frozenset({Product.CNC, Product.MTF, Product.NRML})


class Standing(Way):
    def place_trigger(self, request: TriggerRequest) -> Outcome:
        return self._write(
            lambda client: _place_forever(client, request),
            lambda exchange: outcomes.judge(exchange, at=self._clock()),
        )

    def modify_trigger(self, trigger_id: str, request: TriggerRequest) -> Outcome:
        """Change every leg, one call each: what is changed in part is Unknown."""
        try:
            legs = _legs_by_name(request)
        except Unsendable as error:
            return not_sent(str(error))
        told: list[Outcome] = []
        for leg_name, leg in legs:
            told.append(self._modify_leg(trigger_id, request, leg_name, leg))
            if not isinstance(told[-1], Accepted):
                break
        return accepted_all(told)

    def cancel_trigger(self, trigger_id: str, instrument: InstrumentRef) -> Outcome:
        return self._write(
            lambda client: client.cancel_forever(in_path(named(trigger_id))),
            lambda exchange: outcomes.judge(exchange, at=self._clock(), order_id=trigger_id),
        )

    def triggers(self) -> Sequence[TriggerReport]:
        return self._read(lambda client: client.forever_orders(), _trigger_reports)

    def place_bracket(self, request: BracketRequest) -> Outcome:
        return self._write(
            lambda client: client.place_super(_super_order(request)),
            lambda exchange: outcomes.judge(exchange, at=self._clock()),
        )

    def cancel_bracket(self, broker_order_id: str) -> Outcome:
        """Cancel the entry, and with it every leg."""
        return self._write(
            lambda client: client.cancel_super_order(in_path(named(broker_order_id)), "ENTRY_LEG"),
            lambda exchange: outcomes.judge(exchange, at=self._clock(), order_id=broker_order_id),
        )

    def _modify_leg(
        self, trigger_id: str, request: TriggerRequest, leg_name: str, leg: TriggerLeg
    ) -> Outcome:
        return self._write(
            lambda client: client.modify_forever(
                order_id=in_path(named(trigger_id)),
                order_flag=request.kind.value,
                order_type=words.ORDER_TYPES[request.order_type],
                leg_name=leg_name,
                quantity=words.quantity_to_send(request.instrument, leg.quantity),
                price=words.price_to_send(leg.price),
                trigger_price=words.price_to_send(leg.trigger_price),
                disclosed_quantity=0,
                validity="DAY",
            ),
            lambda exchange: outcomes.judge(exchange, at=self._clock(), order_id=trigger_id),
        )


def _place_forever(client: DhanClient, request: TriggerRequest) -> Answer:
    if request.product not in _FOREVER_PRODUCTS:
        raise Unsendable(f"Dhan keeps no forever order under {request.product}")
    (_, first), *rest = _legs_by_name(request)
    second = rest[0][1] if rest else TriggerLeg(Decimal(0), Decimal(0), 0)
    instrument = request.instrument
    answer: Answer = client.place_forever(
        security_id=words.number_of(instrument),
        exchange_segment=words.segment_of(instrument),
        transaction_type=request.side.value,
        product_type=product_to_send(request.product),
        order_type=words.ORDER_TYPES[request.order_type],
        quantity=words.quantity_to_send(instrument, first.quantity),
        price=words.price_to_send(first.price),
        trigger_Price=words.price_to_send(first.trigger_price),
        order_flag=request.kind.value,
        price1=words.price_to_send(second.price),
        trigger_Price1=words.price_to_send(second.trigger_price),
        quantity1=words.quantity_to_send(instrument, second.quantity),
        tag=tag_to_send(request.tag),
    )
    return answer


def _legs_by_name(request: TriggerRequest) -> list[tuple[str, TriggerLeg]]:
    """Name the legs Dhan's way: the target is the first, and of a sale it is the higher one.

    :raises Unsendable: when the legs do not fit the kind.
    """
    if len(request.legs) != (2 if request.kind is TriggerKind.OCO else 1):
        raise Unsendable(f"A forever order of kind {request.kind} has other legs than these")
    is_sale = request.side is Side.SELL
    legs = sorted(request.legs, key=lambda each: each.trigger_price, reverse=is_sale)
    return list(zip((_FIRST_LEG, _SECOND_LEG), legs, strict=False))


def _trigger_reports(body: object) -> Listed[TriggerReport]:
    """Read forever orders, each of as many rows as it has legs."""
    numbers = rows.Numbers()
    read = rows.read_each(body, lambda row, _: (required(row, "orderId"), row))
    legs: defaultdict[str, list[Row]] = defaultdict(list)
    for number_told, row in read:
        legs[number_told].append(row)
    found = read_rows(
        [{**told[0], _LEGS: told} for told in legs.values()],
        lambda row: _trigger_report(row, numbers),
        naming=rows.naming(numbers),
        broker=rows.NAME,
    )
    return found.with_more(Listed(unreadable=read.unreadable))


def _trigger_report(row: Row, numbers: rows.Numbers) -> TriggerReport:
    told = rows_of(row[_LEGS], "legs")
    segment, security = required(row, "exchangeSegment"), required(row, "securityId")
    is_oco = len(told) > 1 or text(row.get("orderType")).upper() == "OCO"
    legs = [_leg(each, numbers, segment, security) for each in told]
    return TriggerReport(
        trigger_id=required(row, "orderId"),
        instrument_key=numbers.key(segment, security),
        side=words.side_told(row.get("transactionType")),
        product=words.product_told(row.get("productType")),
        kind=TriggerKind.OCO if is_oco else TriggerKind.SINGLE,
        status=_status(told),
        legs=tuple(sorted(legs, key=lambda each: each.trigger_price)),
        updated_at=words.time_told(row.get("updateTime") or row.get("createTime")),
    )


def _leg(row: Row, numbers: rows.Numbers, segment: str, security: str) -> TriggerLeg:
    return TriggerLeg(
        trigger_price=number(row.get("triggerPrice"), "triggerPrice", most=MOST_PRICE),
        price=number(row.get("price"), "price", most=MOST_PRICE),
        quantity=numbers.units(segment, security, count(row.get("quantity"), "quantity", least=1)),
    )


def _status(told: Sequence[Row]) -> TriggerStatus:
    """One leg that fired tells for both: the other is cancelled by it."""
    statuses = [
        known(_STATUSES, text(row.get("orderStatus")).upper(), "forever order's status")
        for row in told
    ]
    return TriggerStatus.TRIGGERED if TriggerStatus.TRIGGERED in statuses else statuses[0]


def _super_order(request: BracketRequest) -> dict[str, object]:
    """Put a bracket into Dhan's words.

    :raises Unsendable: when its prices do not stand on the right sides of the entry.
    """
    entry = request.entry
    if entry.order_type not in (OrderType.LIMIT, OrderType.MARKET):
        raise Unsendable("The entry of a super order is a limit or a market order")
    _check_sides(request)
    is_leg_product = entry.product in (Product.CO, Product.BO)
    return {
        "transactionType": entry.side.value,
        "exchangeSegment": words.segment_of(entry.instrument),
        "productType": product_to_send(Product.MIS if is_leg_product else entry.product),
        "orderType": words.ORDER_TYPES[entry.order_type],
        "securityId": words.number_of(entry.instrument),
        "quantity": words.quantity_to_send(entry.instrument, entry.quantity),
        "price": words.price_to_send(entry.price if entry.order_type.needs_price else None),
        "targetPrice": words.price_to_send(request.target),
        "stopLossPrice": words.price_to_send(request.stop_loss),
        "trailingJump": words.price_to_send(request.trailing),
        "correlationId": tag_to_send(entry.tag) or None,
    }


def _check_sides(request: BracketRequest) -> None:
    entry, sign = request.entry, request.entry.side.sign
    price = entry.price if entry.order_type.needs_price else None
    below = [request.stop_loss, *([price] if price is not None else [])]
    prices = [*below, *([request.target] if request.target is not None else [])]
    if any((later - earlier) * sign <= 0 for earlier, later in pairwise(prices)):
        raise Unsendable("A super order's stop must lie behind its entry, and its target beyond")

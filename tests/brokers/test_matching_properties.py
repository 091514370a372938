"""What no sequence of ticks can make the paper exchange do."""

from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from brokers.adapters.paper.matching import (
    VOLUME_SHARE_PERCENT,
    Step,
    WorkingOrder,
    match_tick,
)
from brokers.adapters.paper.protection import protected_price
from brokers.gateway import QuoteTick
from brokers.terms import InstrumentType, OrderType, Side, Validity
from tests.builders import NOW

TICK = Decimal("0.05")
prices = st.integers(min_value=1900, max_value=2100).map(lambda units: units * TICK)
sizes = st.integers(min_value=0, max_value=400)


@st.composite
def orders(draw: st.DrawFn) -> list[WorkingOrder]:
    return [_order(draw, number) for number in range(1, draw(st.integers(1, 5)) + 1)]


def _order(draw: st.DrawFn, number: int) -> WorkingOrder:
    order_type = draw(st.sampled_from(OrderType))
    return WorkingOrder(
        number=number,
        side=draw(st.sampled_from(Side)),
        instrument_type=InstrumentType.EQ,
        lot_size=1,
        tick_size=TICK,
        order_type=order_type,
        validity=draw(st.sampled_from(Validity)),
        remaining=draw(st.integers(1, 200)),
        live_at=NOW + timedelta(seconds=draw(st.integers(0, 5))),
        limit=draw(prices) if order_type.needs_price else None,
        trigger=draw(prices) if order_type.needs_trigger else None,
    )


@st.composite
def ticks(draw: st.DrawFn) -> list[QuoteTick]:
    return [_tick(draw, second) for second in range(draw(st.integers(1, 8)))]


def _tick(draw: st.DrawFn, second: int) -> QuoteTick:
    bid = draw(st.none() | prices)
    ask = None if bid is None else bid + TICK * draw(st.integers(1, 10))
    return QuoteTick(
        key="NSE:INFY",
        ltp=draw(prices),
        at=NOW + timedelta(seconds=second),
        volume=draw(sizes),
        bid=bid,
        ask=ask,
        bid_quantity=draw(sizes) if bid else 0,
        ask_quantity=draw(sizes) if ask else 0,
    )


def run(working: list[WorkingOrder], tape: list[QuoteTick]) -> list[tuple[QuoteTick, Step]]:
    """Play the tape; an order that is whole or cancelled leaves."""
    book = {order.number: order for order in working}
    told = []
    for tick in tape:
        for step in match_tick(list(book.values()), tick):
            told.append((tick, step))
            book[step.order.number] = step.order
            if step.is_cancelled or step.order.remaining == 0:
                del book[step.order.number]
    return told


class TestAnyTape:
    @given(orders(), ticks())
    def test_never_fills_more_than_was_ordered(
        self, working: list[WorkingOrder], tape: list[QuoteTick]
    ) -> None:
        filled = dict.fromkeys([order.number for order in working], 0)
        for _, step in run(working, tape):
            filled[step.order.number] += step.quantity
        assert all(filled[order.number] <= order.remaining for order in working)

    @given(orders(), ticks())
    def test_never_fills_beyond_a_limit(
        self, working: list[WorkingOrder], tape: list[QuoteTick]
    ) -> None:
        limits = {order.number: order.limit for order in working}
        for _, step in run(working, tape):
            limit = limits[step.order.number] or step.order.limit
            if step.price is not None and limit is not None:
                assert (limit - step.price) * step.order.side.sign >= 0

    @given(orders(), ticks())
    def test_never_fills_more_than_was_offered(
        self, working: list[WorkingOrder], tape: list[QuoteTick]
    ) -> None:
        for tick in tape:
            taken = sum(step.quantity for at, step in run(working, tape) if at is tick)
            share = tick.volume * VOLUME_SHARE_PERCENT // 100
            assert taken <= tick.ask_quantity + tick.bid_quantity + share

    @given(orders(), ticks())
    def test_never_fills_before_the_order_arrived(
        self, working: list[WorkingOrder], tape: list[QuoteTick]
    ) -> None:
        assert all(step.order.live_at <= tick.at for tick, step in run(working, tape))

    @given(orders(), ticks())
    def test_never_lets_an_immediate_order_rest(
        self, working: list[WorkingOrder], tape: list[QuoteTick]
    ) -> None:
        for _, step in run(working, tape):
            if step.order.validity is Validity.IOC and not step.order.waits_for_trigger:
                assert step.is_cancelled or step.order.remaining == 0

    @given(orders(), ticks())
    def test_never_fills_a_stop_that_was_not_triggered(
        self, working: list[WorkingOrder], tape: list[QuoteTick]
    ) -> None:
        for _, step in run(working, tape):
            assert not (step.quantity and step.order.waits_for_trigger)

    @given(orders(), ticks(), st.randoms())
    def test_is_the_same_however_the_orders_were_listed(
        self, working: list[WorkingOrder], tape: list[QuoteTick], random: Random
    ) -> None:
        shuffled = list(working)
        random.shuffle(shuffled)
        assert run(shuffled, tape) == run(working, tape)

    @given(orders(), ticks(), st.integers(0, 8))
    def test_is_the_same_however_the_tape_was_cut(
        self, working: list[WorkingOrder], tape: list[QuoteTick], cut: int
    ) -> None:
        first = run(working, tape[:cut])
        left = {order.number: order for order in working}
        for _, step in first:
            left[step.order.number] = step.order
            if step.is_cancelled or step.order.remaining == 0:
                del left[step.order.number]
        assert first + run(list(left.values()), tape[cut:]) == run(working, tape)


class TestProtectedPrice:
    @given(prices, st.sampled_from(Side), st.sampled_from(InstrumentType))
    def test_lies_on_a_tick_beyond_the_last_price(
        self, last: Decimal, side: Side, kind: InstrumentType
    ) -> None:
        cap = protected_price(last, side=side, instrument_type=kind, tick_size=TICK)
        assert cap % TICK == 0
        assert (cap - last) * side.sign >= 0

    @given(st.integers(1, 40).map(lambda units: units * TICK), st.sampled_from(Side))
    def test_is_never_nothing(self, last: Decimal, side: Side) -> None:
        cap = protected_price(last, side=side, instrument_type=InstrumentType.CE, tick_size=TICK)
        assert cap > 0

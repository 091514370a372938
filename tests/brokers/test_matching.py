"""One tick and the working orders: who is filled, at what price, how much."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from brokers.adapters.paper.matching import Step, WorkingOrder, match_tick
from brokers.gateway import QuoteTick
from brokers.terms import InstrumentType, OrderType, Side, Validity
from tests.builders import NOW

LATER = NOW + timedelta(seconds=1)


def order(limit: str | None = "100", **changes: Any) -> WorkingOrder:
    """A buy of ten at a limit, which the exchange has had for a second."""
    working = WorkingOrder(
        number=1,
        side=Side.BUY,
        instrument_type=InstrumentType.EQ,
        lot_size=1,
        tick_size=Decimal("0.05"),
        order_type=OrderType.LIMIT,
        validity=Validity.DAY,
        remaining=10,
        live_at=NOW,
        limit=None if limit is None else Decimal(limit),
    )
    return replace(working, **changes)


def market_order(**changes: Any) -> WorkingOrder:
    working = order(None, order_type=OrderType.MARKET)
    return replace(working, **changes)


def stop(trigger: str, **changes: Any) -> WorkingOrder:
    working = order(None, order_type=OrderType.SL_M, trigger=Decimal(trigger))
    return replace(working, **changes)


def tick(
    ltp: str,
    *,
    volume: int = 1000,
    bid: str | None = None,
    ask: str | None = None,
    bid_quantity: int = 0,
    ask_quantity: int = 0,
) -> QuoteTick:
    return QuoteTick(
        key="NSE:INFY",
        ltp=Decimal(ltp),
        at=LATER,
        volume=volume,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        bid_quantity=bid_quantity,
        ask_quantity=ask_quantity,
    )


def only(steps: list[Step]) -> Step:
    assert len(steps) == 1
    return steps[0]


def filled(steps: list[Step]) -> list[tuple[int, int, Decimal]]:
    return [(each.order.number, each.quantity, each.price) for each in steps if each.price]


class TestTimeOfArrival:
    def test_a_tick_before_the_order_arrived_does_nothing(self) -> None:
        late = order(live_at=LATER + timedelta(milliseconds=1))
        assert match_tick([late], tick("99")) == []

    def test_a_tick_of_the_same_moment_counts(self) -> None:
        assert filled(match_tick([order(live_at=LATER)], tick("99")))


class TestRestingLimit:
    resting = order(is_resting=True)

    def test_is_not_filled_by_a_touch(self) -> None:
        assert filled(match_tick([self.resting], tick("100"))) == []

    def test_is_not_filled_above_its_limit(self) -> None:
        assert filled(match_tick([self.resting], tick("100.05"))) == []

    def test_is_filled_at_its_own_price_when_traded_through(self) -> None:
        assert filled(match_tick([self.resting], tick("98"))) == [(1, 10, Decimal(100))]

    def test_is_filled_at_its_own_price_when_the_quote_crosses(self) -> None:
        crossing = tick("100", ask="99.95", bid="99.90", ask_quantity=4)
        assert filled(match_tick([self.resting], crossing)) == [(1, 4, Decimal(100))]

    def test_of_a_seller_is_the_mirror(self) -> None:
        seller = replace(self.resting, side=Side.SELL)
        assert filled(match_tick([seller], tick("100"))) == []
        assert filled(match_tick([seller], tick("101"))) == [(1, 10, Decimal(100))]

    def test_takes_no_more_than_a_quarter_of_the_volume(self) -> None:
        assert only(match_tick([self.resting], tick("98", volume=16))).quantity == 4

    def test_takes_nothing_where_nothing_traded(self) -> None:
        assert match_tick([self.resting], tick("98", volume=0)) == []

    def test_takes_whole_lots(self) -> None:
        in_lots = replace(self.resting, lot_size=3, remaining=9)
        assert only(match_tick([in_lots], tick("98", volume=32))).quantity == 6


class TestTakingLimit:
    def test_takes_the_quote_and_not_its_limit(self) -> None:
        quoted = tick("98", ask="98.50", bid="98.40", ask_quantity=50)
        assert filled(match_tick([order()], quoted)) == [(1, 10, Decimal("98.50"))]

    def test_takes_no_more_than_is_shown(self) -> None:
        quoted = tick("98", ask="98.50", bid="98.40", ask_quantity=6)
        assert only(match_tick([order()], quoted)).quantity == 6

    def test_without_a_quote_takes_the_last_price(self) -> None:
        assert filled(match_tick([order()], tick("98"))) == [(1, 10, Decimal(98))]

    def test_does_not_take_a_price_beyond_its_limit(self) -> None:
        step = only(match_tick([order()], tick("101")))
        assert (step.quantity, step.order.is_resting) == (0, True)

    def test_does_not_take_a_last_trade_that_nobody_offers_any_more(self) -> None:
        quoted = tick("99", ask="101", bid="98", ask_quantity=50)
        assert only(match_tick([order()], quoted)).order.is_resting

    def test_finds_no_seller_at_the_upper_circuit(self) -> None:
        frozen = tick("100", bid="100", bid_quantity=9000)
        assert only(match_tick([order()], frozen)).quantity == 0


class TestMarketOrder:
    def test_is_protected_from_the_first_price_it_meets(self) -> None:
        step = only(match_tick([market_order()], tick("100", volume=0)))
        assert step.order.limit == Decimal("101.00")

    def test_of_a_seller_is_protected_below(self) -> None:
        step = only(match_tick([market_order(side=Side.SELL)], tick("100", volume=0)))
        assert step.order.limit == Decimal("99.00")

    def test_keeps_its_protection_when_the_price_runs_away(self) -> None:
        protected = market_order(limit=Decimal("101.00"))
        assert filled(match_tick([protected], tick("101.05"))) == []

    def test_takes_what_is_shown_and_leaves_the_rest_open(self) -> None:
        quoted = tick("100", ask="100.10", bid="100", ask_quantity=4)
        step = only(match_tick([market_order()], quoted))
        assert (step.quantity, step.price, step.order.remaining) == (4, Decimal("100.10"), 6)
        assert not step.is_cancelled

    def test_does_not_pay_an_offer_beyond_its_protection(self) -> None:
        quoted = tick("100", ask="105", bid="100", ask_quantity=4)
        assert only(match_tick([market_order()], quoted)).quantity == 0

    def test_that_chases_is_protected_anew_by_each_price(self) -> None:
        chasing = market_order(limit=Decimal("101.00"), chases=True)
        assert filled(match_tick([chasing], tick("120"))) == [(1, 10, Decimal(120))]


class TestStop:
    def test_of_a_buyer_waits_below_its_trigger(self) -> None:
        assert match_tick([stop("100")], tick("99.95")) == []

    def test_of_a_buyer_is_triggered_by_a_touch(self) -> None:
        assert only(match_tick([stop("100")], tick("100"))).order.is_triggered

    def test_of_a_seller_waits_above_its_trigger(self) -> None:
        assert match_tick([stop("100", side=Side.SELL)], tick("100.05")) == []

    def test_of_a_seller_is_triggered_by_a_touch(self) -> None:
        assert only(match_tick([stop("100", side=Side.SELL)], tick("100"))).order.is_triggered

    def test_is_triggered_by_the_last_price_and_not_by_the_quote(self) -> None:
        quoted = tick("99", ask="101", bid="100.5", ask_quantity=50)
        assert match_tick([stop("100")], quoted) == []

    def test_once_triggered_trades_at_the_market(self) -> None:
        assert filled(match_tick([stop("100")], tick("100.20"))) == [(1, 10, Decimal("100.20"))]

    def test_with_a_limit_does_not_pay_more_than_it(self) -> None:
        limited = stop("100", order_type=OrderType.SL, limit=Decimal("100.50"))
        step = only(match_tick([limited], tick("103")))
        assert (step.order.is_triggered, step.quantity) == (True, 0)


class TestImmediateOrCancel:
    def test_is_cancelled_where_nothing_can_be_had(self) -> None:
        step = only(match_tick([order(validity=Validity.IOC)], tick("101")))
        assert (step.quantity, step.is_cancelled) == (0, True)

    def test_keeps_what_it_got_and_cancels_the_rest(self) -> None:
        step = only(match_tick([order(validity=Validity.IOC)], tick("99", volume=16)))
        assert (step.quantity, step.is_cancelled) == (4, True)

    def test_is_not_cancelled_once_whole(self) -> None:
        assert not only(match_tick([order(validity=Validity.IOC)], tick("99"))).is_cancelled

    def test_waits_for_its_trigger_all_the_same(self) -> None:
        assert match_tick([stop("100", validity=Validity.IOC)], tick("99")) == []


class TestPriority:
    def test_the_better_price_goes_first(self) -> None:
        worse = order("100", number=1, is_resting=True)
        better = order("101", number=2, is_resting=True)
        fills = filled(match_tick([worse, better], tick("99", volume=48)))
        assert fills == [(2, 10, Decimal(101)), (1, 2, Decimal(100))]

    def test_of_two_equals_the_earlier_goes_first(self) -> None:
        late = order(number=1, is_resting=True, live_at=NOW + timedelta(milliseconds=5))
        early = order(number=2, is_resting=True)
        assert filled(match_tick([late, early], tick("99", volume=40))) == [(2, 10, Decimal(100))]

    def test_all_share_what_is_shown(self) -> None:
        quoted = tick("99", ask="99", bid="98", ask_quantity=15)
        fills = filled(match_tick([order(number=1), order(number=2)], quoted))
        assert [quantity for _, quantity, _ in fills] == [10, 5]

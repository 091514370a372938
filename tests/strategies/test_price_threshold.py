from datetime import timedelta
from decimal import Decimal

from brokers.terms import Side
from strategies.algorithms.price_threshold import PRICE, PriceThreshold
from tests.strategies.bars import OPENING, bars_closing_at

IN_RUPEES = PriceThreshold(measure=PRICE, buy_threshold=Decimal(2500), sell_threshold=Decimal(2400))
BOTH_WAYS = PriceThreshold(
    measure=PRICE, buy_threshold=Decimal(2500), sell_threshold=Decimal(2400), allow_short=True
)
IN_PERCENT = PriceThreshold(buy_threshold=Decimal(1), sell_threshold=Decimal(-1))


class TestThresholdInRupees:
    def test_waits_without_candles(self) -> None:
        assert IN_RUPEES.decide([], 0) is None

    def test_does_not_buy_at_the_threshold_itself(self) -> None:
        assert IN_RUPEES.decide(bars_closing_at(2500), 0) is None

    def test_buys_above_it(self) -> None:
        decision = IN_RUPEES.decide(bars_closing_at("2500.05"), 0)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.BUY, False)
        assert decision.reason == "Closed at 2500.05, above 2500.00"

    def test_does_not_buy_more_while_long(self) -> None:
        assert IN_RUPEES.decide(bars_closing_at(2600), 10) is None

    def test_holds_between_the_thresholds(self) -> None:
        assert IN_RUPEES.decide(bars_closing_at(2450), 10) is None

    def test_sells_what_it_holds_below_the_lower_one(self) -> None:
        decision = IN_RUPEES.decide(bars_closing_at("2399.95"), 10)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.SELL, True)

    def test_sells_nothing_when_flat(self) -> None:
        assert IN_RUPEES.decide(bars_closing_at(2300), 0) is None


class TestShortThreshold:
    def test_sells_short_below_the_lower_one(self) -> None:
        decision = BOTH_WAYS.decide(bars_closing_at(2399), 0)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.SELL, False)

    def test_buys_back_above_the_upper_one(self) -> None:
        decision = BOTH_WAYS.decide(bars_closing_at(2501), -10)
        assert decision is not None
        assert (decision.side, decision.is_exit) == (Side.BUY, True)

    def test_stays_short_below(self) -> None:
        assert BOTH_WAYS.decide(bars_closing_at(2300), -10) is None


class TestThresholdInPercent:
    def test_counts_from_the_open_of_the_day(self) -> None:
        decision = IN_PERCENT.decide(bars_closing_at(100, 103, "101.05"), 0)
        assert decision is not None
        assert decision.side == Side.BUY

    def test_waits_below_it(self) -> None:
        assert IN_PERCENT.decide(bars_closing_at(100, "100.95"), 0) is None

    def test_forgets_the_day_before(self) -> None:
        yesterday = bars_closing_at(90, 90, start=OPENING - timedelta(days=1))
        assert IN_PERCENT.decide([*yesterday, *bars_closing_at(100, 100)], 0) is None

    def test_sells_below_the_lower_one(self) -> None:
        decision = IN_PERCENT.decide(bars_closing_at(100, "98.95"), 5)
        assert decision is not None
        assert decision.is_exit

    def test_asks_for_the_whole_session(self) -> None:
        assert IN_PERCENT.lookback.whole_session


class TestContradictions:
    def test_refuse_a_sell_threshold_above_the_buy_threshold(self) -> None:
        crossed = PriceThreshold(buy_threshold=Decimal(1), sell_threshold=Decimal(2))
        assert "sell_threshold" in crossed.contradictions()

    def test_refuse_a_negative_price(self) -> None:
        negative = PriceThreshold(measure=PRICE, buy_threshold=Decimal(1))
        assert "sell_threshold" in negative.contradictions()

    def test_refuse_a_threshold_of_a_hundred_per_cent(self) -> None:
        absurd = PriceThreshold(buy_threshold=Decimal(100))
        assert "buy_threshold" in absurd.contradictions()

    def test_find_nothing_in_the_defaults(self) -> None:
        assert PriceThreshold().contradictions() == {}

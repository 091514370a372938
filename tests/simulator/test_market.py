import threading
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, pairwise

import pytest

from brokers.simulator.candles import TooManyCandles
from brokers.simulator.exchange import UnknownInstrument
from brokers.simulator.instruments import (
    expiries,
    grown,
    indian_market,
    monthly_expiry,
    us_market,
)
from brokers.simulator.prices import PriceFeed, PriceWalk
from brokers.simulator.records import TickEvent
from brokers.terms import InstrumentType
from tests.simulator.market import FRIDAY, NIFTY, OPTION, RELIANCE, listening, new_broker

_MINUTE = timedelta(minutes=1)


class TestInstruments:
    def test_unknown_ones_are_refused(self):
        broker = new_broker()
        with pytest.raises(UnknownInstrument, match="no instrument with the token 404"):
            broker.tick("404", Decimal(1))
        with pytest.raises(UnknownInstrument):
            broker.quote("404")

    def test_are_distinct_and_on_their_ticks(self):
        market = [*indian_market(FRIDAY.date()), *us_market()]
        assert len({each.token for each in market}) == len(market)
        assert all(each.start_price % each.tick == 0 for each in market)
        assert all(each.start_price > 0 for each in market)

    def test_hold_twenty_options_of_two_expiries(self):
        options = [each for each in indian_market(FRIDAY.date()) if each.kind.is_option]
        assert len(options) == 20
        assert {each.expiry for each in options} == set(expiries(FRIDAY.date()))

    @pytest.mark.parametrize(
        ("today", "last"),
        [
            (date(2026, 11, 20), date(2026, 11, 24)),
            (date(2026, 11, 25), date(2026, 12, 29)),
            (date(2026, 12, 30), date(2027, 1, 26)),
        ],
    )
    def test_expire_on_the_last_tuesday(self, today, last):
        assert monthly_expiry(today) == last

    def test_grow_to_any_number(self):
        assert len({each.token for each in grown(5000)}) == 5000
        assert next(islice(grown(200_000), 1)).kind is InstrumentType.EQ


class TestAQuote:
    def test_shows_five_levels_about_the_price(self):
        broker = new_broker()
        broker.tick(RELIANCE, Decimal(1410), volume=50)
        quote = broker.quote(RELIANCE)
        assert (quote.last_price, quote.high, quote.low, quote.close) == (1410, 1410, 1400, 1400)
        assert [each.price for each in quote.bids[:2]] == [Decimal("1409.95"), Decimal("1409.90")]
        assert (len(quote.bids), len(quote.asks)) == (5, 5)

    def test_carries_the_circuit_limits(self):
        quote = new_broker().quote(RELIANCE)
        assert (quote.lower_circuit, quote.upper_circuit) == (1260, 1540)

    def test_of_an_index_has_no_depth(self):
        assert new_broker().quote(NIFTY).bids == ()


class TestCandles:
    def test_too_many_are_refused(self):
        with pytest.raises(TooManyCandles):
            new_broker().candles(RELIANCE, _MINUTE, FRIDAY - timedelta(days=200), FRIDAY)

    def test_are_the_same_for_the_same_seed(self):
        asked = (RELIANCE, _MINUTE, FRIDAY - timedelta(minutes=5), FRIDAY)
        assert new_broker().candles(*asked) == new_broker().candles(*asked)

    def test_agree_with_themselves_and_their_neighbours(self):
        candles = new_broker().candles(RELIANCE, _MINUTE, FRIDAY - timedelta(minutes=60), FRIDAY)
        assert len(candles) == 61
        for before, after in pairwise(candles):
            assert before.low <= min(before.open, before.close)
            assert before.high >= max(before.open, before.close)
            assert before.close == after.open

    def test_keep_the_markets_hours(self):
        day = timedelta(days=1)
        candles = new_broker().candles(RELIANCE, 75 * _MINUTE, FRIDAY - day * 7, FRIDAY + day)
        assert {each.start.strftime("%H:%M") for each in candles} == {
            "09:15",
            "10:30",
            "11:45",
            "13:00",
            "14:15",
        }
        assert all(each.start.weekday() < 5 for each in candles)

    def test_of_days_start_at_midnight(self):
        day = timedelta(days=1)
        (candle, *_) = new_broker().candles(RELIANCE, day, FRIDAY - day * 3, FRIDAY)
        assert candle.start.strftime("%H:%M %z") == "00:00 +0530"


class TestPricesThatMove:
    def test_move_the_same_way_for_the_same_seed(self):
        first, second = new_broker(), new_broker()
        for broker in (first, second):
            walk = PriceWalk(broker)
            for _ in range(3):
                walk.step()
        assert [first.quote(each.token) for each in first.instruments()] == [
            second.quote(each.token) for each in second.instruments()
        ]

    def test_take_options_along(self):
        broker = new_broker()
        before = broker.quote(OPTION).last_price
        broker.tick(NIFTY, Decimal(25400))
        PriceWalk(broker).step()
        assert broker.quote(OPTION).last_price > before

    def test_run_until_they_are_stopped(self):
        broker = new_broker()
        moved = threading.Event()
        broker.subscribe(lambda _: moved.set())
        feed = PriceFeed(broker, rate=200)
        feed.start()
        assert moved.wait(5)
        feed.stop()
        heard = listening(broker)
        assert not any(each.name == "brokersim-prices" for each in threading.enumerate())
        assert [each for each in heard if isinstance(each, TickEvent)] == []

"""Quotes, candles and chains from Angel One."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from brokers.abilities import (
    CandleRequest,
)
from brokers.adapters.angel.market import spans
from brokers.gateway import GatewayUnavailable
from brokers.simulator.faults import FaultName
from tests.brokers.angel.market import DEMO, AngelMarket
from tests.builders import NOW


class TestPrices:
    def test_quotes_tell_price_depth_and_circuits(self, market: AngelMarket) -> None:
        market.trade("101.00", volume=100)
        quote = market.gateway.quotes([DEMO])[DEMO.key]
        assert quote.ltp == Decimal("101.0")
        assert len(quote.bids) == 5
        assert quote.lower_circuit is not None
        assert quote.lower_circuit < quote.ltp

    def test_an_instrument_that_angel_does_not_list_is_absent(self, market: AngelMarket) -> None:
        stranger = replace(DEMO, key="NSE:NOBODY", token="424242")
        assert set(market.gateway.quotes([DEMO, stranger])) == {DEMO.key}

    def test_more_than_fifty_go_in_two_calls(self, market: AngelMarket) -> None:
        many = [replace(DEMO, key=f"NSE:N{number}", token=str(number)) for number in range(60)]
        market.gateway.quotes(many)
        assert len(market.sent("*quote")) == 2

    @pytest.mark.parametrize("interval", ["1m", "3m", "5m", "10m", "15m", "30m", "1h", "1d"])
    def test_candles_come_in_every_interval(self, market: AngelMarket, interval: str) -> None:
        request = CandleRequest(DEMO, interval, NOW - timedelta(days=2), NOW)
        told = market.gateway.candles(request)
        assert told
        assert [each.at for each in told] == sorted({each.at for each in told})
        assert all(each.low <= each.open <= each.high for each in told)

    def test_candles_of_a_long_time_go_in_pieces(self, market: AngelMarket) -> None:
        request = CandleRequest(DEMO, "1m", NOW - timedelta(days=61), NOW)
        market.gateway.candles(request)
        assert len(market.sent("*getCandleData")) == 3

    def test_candles_of_an_unknown_interval_are_refused(self, market: AngelMarket) -> None:
        with pytest.raises(GatewayUnavailable):
            market.gateway.candles(CandleRequest(DEMO, "2m", NOW, NOW))

    def test_pieces_meet_without_gap_or_overlap(self) -> None:
        cut = spans(NOW, NOW + timedelta(days=65), days=30)
        assert len(cut) == 3
        assert all(after[0] - before[1] == timedelta(minutes=1) for before, after in pairwise(cut))

    def test_a_chain_has_prices_and_greeks(self, market: AngelMarket) -> None:
        index = replace(market.stand.ref("NIFTY"), trading_symbol="NIFTY 50")
        option = next(each for each in market.stand.instruments if each.strike)
        assert option.expiry is not None
        chain = market.gateway.option_chain(index, option.expiry)
        assert len(chain) == 10
        assert {each.is_call for each in chain} == {True, False}
        assert all(each.ltp and each.iv and "delta" in each.greeks for each in chain)

    def test_a_chain_without_greeks_is_still_one(self, market: AngelMarket) -> None:
        index = replace(market.stand.ref("NIFTY"), trading_symbol="NIFTY 50")
        option = next(each for each in market.stand.instruments if each.strike)
        market.stand.faults.arm(FaultName.SERVER_ERROR_BEFORE, match="*optionGreek")
        assert option.expiry is not None
        assert market.gateway.option_chain(index, option.expiry)[0].greeks == {}

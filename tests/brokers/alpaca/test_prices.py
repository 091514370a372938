"""Quotes and candles of Alpaca over the wire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from brokers.abilities import CandleRequest, FindsTags, Quotes, TellsCandles, TellsProfile
from brokers.gateway import GatewayUnavailable
from brokers.simulator.faults import FaultName
from tests.brokers.alpaca.market import AlpacaMarket

DAY = datetime(2026, 6, 16, 13, 30, tzinfo=UTC)


def candles_of(alpaca: AlpacaMarket) -> CandleRequest:
    return CandleRequest(alpaca.share, "1m", DAY, DAY + timedelta(minutes=9))


class TestAbilities:
    @pytest.mark.parametrize("ability", [FindsTags, Quotes, TellsCandles, TellsProfile])
    def test_alpaca_has_it(self, alpaca: AlpacaMarket, ability: type) -> None:
        assert isinstance(alpaca.gateway, ability)


class TestQuotes:
    def test_an_instrument_alpaca_does_not_know_is_absent(self, alpaca: AlpacaMarket) -> None:
        strange = replace(alpaca.share, key="NASDAQ:NOSUCH", broker_symbol="NOSUCH")
        assert list(alpaca.gateway.quotes([alpaca.share, strange])) == [alpaca.share.key]

    def test_many_are_asked_for_in_parts(self, alpaca: AlpacaMarket) -> None:
        many = [replace(alpaca.share, broker_symbol=f"S{number}") for number in range(250)]
        alpaca.gateway.quotes(many)
        assert len(alpaca.sent("GET /v2/stocks/snapshots")) == 3


class TestCandles:
    def test_a_length_that_there_is_not_is_refused(self, alpaca: AlpacaMarket) -> None:
        with pytest.raises(GatewayUnavailable, match="no candles of 7m"):
            alpaca.gateway.candles(replace(candles_of(alpaca), interval="7m"))

    @pytest.mark.parametrize("fault", [FaultName.HTML_200, FaultName.TRUNCATED_JSON])
    def test_a_bad_answer_is_never_none(self, alpaca: AlpacaMarket, fault: FaultName) -> None:
        alpaca.stand.faults.arm(fault, match="*bars")
        with pytest.raises(GatewayUnavailable):
            alpaca.gateway.candles(candles_of(alpaca))

    def test_both_ends_are_included(self, alpaca: AlpacaMarket) -> None:
        request = candles_of(alpaca)
        candles = alpaca.gateway.candles(request)
        assert (len(candles), candles[0].at) == (10, DAY)

    def test_pages_are_followed_to_the_end(self, alpaca: AlpacaMarket) -> None:
        request = replace(candles_of(alpaca), end=DAY + timedelta(days=45))
        candles = alpaca.gateway.candles(request)
        assert len(candles) > 10_000
        assert len({each.at for each in candles}) == len(candles)
        assert len(alpaca.sent("GET /v2/stocks/bars")) == 2

"""Dhan's data API: quotes, candles, option chains."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.abilities import CandleRequest
from brokers.adapters.dhan.prices import _candles, _chain
from brokers.gateway import GatewayUnavailable
from brokers.models import BrokerCall
from brokers.terms import InstrumentType
from brokers.values import Unreadable
from brokers.venue import IST
from tests.brokers.dhan.market import BEGIN, NIFTY, DhanMarket

MORNING = datetime(2026, 11, 19, 9, 15, tzinfo=IST)


class TestQuotes:
    def test_leave_out_what_nobody_knows(self, market: DhanMarket) -> None:
        stranger = replace(market.share, key="NSE:STRANGER", token="123456")
        told = market.own.quotes([market.share, stranger])
        assert set(told) == {market.share.key}

    def test_tell_price_depth_and_limits(self, market: DhanMarket) -> None:
        market.trade("101.50", volume=100)
        quote = market.own.quotes([market.share])[market.share.key]
        assert (quote.ltp, quote.previous_close, quote.volume) == (Decimal("101.5"), 100, 100)
        assert (len(quote.bids), len(quote.asks)) == (5, 5)
        assert quote.at == market.now()
        assert quote.upper_circuit == 110

    def test_of_an_index_have_no_depth(self, market: DhanMarket) -> None:
        index = market.ref(NIFTY)
        quote = market.own.quotes([index])[index.key]
        assert (quote.ltp, quote.bids) == (25000, ())

    def test_are_not_written_down_as_writes(self, market: DhanMarket) -> None:
        market.own.quotes([market.share])
        assert BrokerCall.objects.count() == 0

    def test_cut_off_are_unavailable(self, market: DhanMarket) -> None:
        market.stand.faults.arm("truncated_json", match="*marketfeed*")
        with pytest.raises(GatewayUnavailable):
            market.own.quotes([market.share])


class TestCandles:
    def _asked(self, market: DhanMarket, interval: str, days: float = 0.2) -> CandleRequest:
        end = MORNING + timedelta(days=days)
        return CandleRequest(market.ref("2885"), interval, MORNING, end)

    @pytest.mark.parametrize("interval", ["3m", "10m", "30m"])
    def test_of_an_interval_dhan_has_not_are_refused(
        self, market: DhanMarket, interval: str
    ) -> None:
        with pytest.raises(GatewayUnavailable, match=interval):
            market.own.candles(self._asked(market, interval))

    def test_of_a_morning_include_both_ends(self, market: DhanMarket) -> None:
        request = CandleRequest(market.ref("2885"), "15m", MORNING, MORNING + timedelta(minutes=60))
        candles = market.own.candles(request)
        assert [each.at - MORNING for each in candles] == [
            timedelta(minutes=15 * step) for step in range(5)
        ]
        assert all(each.low <= each.close <= each.high for each in candles)

    def test_beyond_ninety_days_are_asked_in_pieces(self, market: DhanMarket) -> None:
        start = MORNING - timedelta(days=200)
        request = CandleRequest(market.ref("2885"), "1h", start, MORNING)
        candles = market.own.candles(request)
        assert len(market.stand.requests("*intraday")) == 3
        assert len({each.at for each in candles}) == len(candles) > 800

    def test_of_days_include_the_last(self, market: DhanMarket) -> None:
        start = datetime(2026, 11, 16, tzinfo=IST)
        request = CandleRequest(market.ref("2885"), "1d", start, start + timedelta(days=4))
        assert [each.at.astimezone(IST).day for each in market.own.candles(request)] == [
            16, 17, 18, 19, 20
        ]  # fmt: skip

    def test_of_days_asked_for_from_the_open_include_the_first(self, market: DhanMarket) -> None:
        start = datetime(2026, 11, 16, 9, 15, tzinfo=IST)
        request = CandleRequest(market.ref("2885"), "1d", start, start + timedelta(days=1))
        days = [each.at.astimezone(IST).day for each in market.own.candles(request)]
        assert days == [16, 17]

    def test_whose_columns_differ_are_not_read(self) -> None:
        body = {name: [1] for name in ("timestamp", "open", "high", "low", "close")}
        with pytest.raises(Unreadable):
            _candles({**body, "volume": [1, 2]})

    def test_of_nothing_are_none(self) -> None:
        names = ("timestamp", "open", "high", "low", "close", "volume")
        assert _candles({name: [] for name in names}) == []


class TestTheOptionChain:
    def test_tells_every_contract(self, market: DhanMarket) -> None:
        option = next(
            each for each in market.stand.broker.instruments() if each.kind is InstrumentType.CE
        )
        assert option.expiry is not None
        rows = market.own.option_chain(market.ref(NIFTY), option.expiry)
        assert len(rows) == 10
        first = rows[0]
        assert (first.strike, first.is_call, first.token) == (24800, True, option.token)
        assert first.iv is not None
        assert set(first.greeks) == {"delta", "theta", "gamma", "vega"}

    def test_without_a_contract_is_not_an_answer(self, market: DhanMarket) -> None:
        with pytest.raises(GatewayUnavailable):
            market.own.option_chain(market.ref(NIFTY), BEGIN.date() + timedelta(days=99))

    def test_of_a_share_without_options_is_not_an_answer(self) -> None:
        with pytest.raises(Unreadable):
            _chain({"data": {"last_price": 1, "oc": {}}, "status": "success"})

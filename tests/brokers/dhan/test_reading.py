"""Dhan's books as the port's reports: tags, trades, positions, holdings, money, lots."""

import json
from decimal import Decimal

import pytest

from brokers.abilities import (
    AuthorisesSales,
    Converts,
    FindsTags,
    KeepsTriggers,
    Quotes,
    Slices,
    TakesBrackets,
    TellsCandles,
    TellsHistory,
    TellsOptionChain,
    TellsProfile,
)
from brokers.directory import install_directory
from brokers.gateway import Accepted, BrokerStatus, GatewayUnavailable, Refused
from brokers.simulator.dhan.tokens import CLIENT
from brokers.simulator.exchange import SimOrderRequest
from brokers.simulator.records import Session
from brokers.terms import OrderType, Product, Segment, Side
from tests.brokers.contract import buy, change_of, placed, report_of
from tests.brokers.dhan.market import CRUDE, SHARE, DhanMarket


class TestAbilities:
    @pytest.mark.parametrize(
        "ability",
        [
            AuthorisesSales,
            Converts,
            FindsTags,
            KeepsTriggers,
            Quotes,
            Slices,
            TakesBrackets,
            TellsCandles,
            TellsOptionChain,
            TellsProfile,
        ],
    )
    def test_are_declared_by_having_them(self, market: DhanMarket, ability: type) -> None:
        assert isinstance(market.own, ability)

    def test_leave_out_what_dhan_does_not_offer(self, market: DhanMarket) -> None:
        assert not isinstance(market.own, TellsHistory)

    def test_leave_out_currency(self, market: DhanMarket) -> None:
        assert market.own.capabilities(Segment.CDS_FUT) is None


class TestATag:
    def test_nobody_used_is_not_there(self, market: DhanMarket) -> None:
        assert market.own.order_by_tag("NOSUCHTAG") is None

    def test_finds_its_order(self, market: DhanMarket) -> None:
        order_id = placed(market.own.place(buy(market.share, tag="MYTAG")))
        found = market.own.order_by_tag("MYTAG")
        assert found is not None
        assert (found.broker_order_id, found.tag) == (order_id, "MYTAG")

    def test_is_not_told_missing_when_the_book_is_not_read(self, market: DhanMarket) -> None:
        market.stand.faults.arm("server_error_before", times=2, match="GET /v2/orders*")
        with pytest.raises(GatewayUnavailable):
            market.own.order_by_tag("NOSUCHTAG")

    def test_is_not_told_missing_when_the_session_is_over(self, market: DhanMarket) -> None:
        market.stand.house.tokens.expire(None)
        with pytest.raises(GatewayUnavailable):
            market.own.order_by_tag("NOSUCHTAG")

    def test_of_more_than_dhan_keeps_is_not_sent(self, market: DhanMarket) -> None:
        outcome = market.own.place(buy(market.share, tag="T" * 31))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"


class TestAnOrderOfTheBrokersOwnApp:
    def test_is_reported_without_a_tag(self, market: DhanMarket) -> None:
        order = SimOrderRequest(
            "", SHARE, Side.BUY, 5, OrderType.LIMIT, Product.MIS, price=Decimal(99)
        )
        market.stand.broker.place_external(CLIENT, order)
        (report,) = market.own.orders()
        assert (report.tag, report.quantity) == ("", 5)


class TestAnAfterMarketOrder:
    def test_waits_for_the_open(self, market: DhanMarket) -> None:
        market.stand.broker.set_session(Session.CLOSED)
        order_id = placed(market.own.place(buy(market.share, is_amo=True)))
        assert report_of(market.own, order_id).status is BrokerStatus.QUEUED_AMO

    def test_is_open_once_the_exchange_has_it(self, market: DhanMarket) -> None:
        market.stand.broker.set_session(Session.CLOSED)
        order_id = placed(market.own.place(buy(market.share, is_amo=True)))
        market.stand.broker.set_session(Session.OPEN)
        market.wait()
        assert report_of(market.own, order_id).status is BrokerStatus.OPEN


class TestATrade:
    def test_is_named_by_its_order_too(self, market: DhanMarket) -> None:
        """The exchange begins to count anew each day."""
        order_id = self._fill(market)
        (trade,) = market.own.trades()
        assert trade.trade_id == f"{order_id}-{trade.exchange_trade_id}"
        assert trade.broker_order_id == order_id

    def test_is_told_at_its_own_time(self, market: DhanMarket) -> None:
        self._fill(market)
        (trade,) = market.own.trades()
        assert trade.traded_at == market.now()

    def _fill(self, market: DhanMarket) -> str:
        order_id = placed(market.own.place(buy(market.share)))
        market.trade("99.00", volume=1000)
        return order_id


class TestAPosition:
    def test_sold_short_is_negative(self, market: DhanMarket) -> None:
        market.trade("100.00")
        placed(market.own.place(buy(market.share, side=Side.SELL)))
        market.trade("101.00", volume=1000)
        (position,) = market.own.positions()
        assert (position.quantity, position.sell_quantity) == (-10, 10)
        assert position.average_price >= 100

    def test_closed_is_told_with_its_profit(self, market: DhanMarket) -> None:
        market.trade("100.00")
        placed(market.own.place(buy(market.share)))
        market.trade("99.00", volume=1000)
        placed(market.own.place(buy(market.share, side=Side.SELL, price=Decimal("102.00"))))
        market.trade("103.00", volume=1000)
        (position,) = market.own.positions()
        assert position.quantity == 0
        assert position.realized_pnl > 0


class TestAHolding:
    def test_is_found_by_number_and_symbol(self, market: DhanMarket) -> None:
        market.stand.broker.give_holding(CLIENT, SHARE, 25, Decimal("90.50"))
        (holding,) = market.own.holdings()
        assert (holding.instrument_key, holding.quantity) == (market.share.key, 25)
        assert holding.average_price == Decimal("90.5")

    def test_not_settled_yet_is_told_apart(self, market: DhanMarket) -> None:
        placed(market.own.place(buy(market.share, product=Product.CNC)))
        market.trade("99.00", volume=1000)
        market.stand.broker.next_day()
        (holding,) = market.own.holdings()
        assert (holding.quantity, holding.t1_quantity) == (0, 10)

    def test_is_unavailable_when_dhan_fails(self, market: DhanMarket) -> None:
        market.stand.faults.arm("server_error_before", match="GET /v2/holdings")
        with pytest.raises(GatewayUnavailable):
            market.own.holdings()


class TestMoney:
    def test_is_read_under_the_misspelt_name(self, market: DhanMarket) -> None:
        funds = market.own.funds()
        assert (funds.available, funds.opening_balance) == (1_000_000, 1_000_000)


class TestCommodities:
    """Dhan counts lots on MCX, the house counts units."""

    def test_are_sent_in_lots(self, market: DhanMarket) -> None:
        self._place(market)
        assert json.loads(market.stand.body("POST /v2/orders"))["quantity"] == 2

    def test_are_told_in_units(self, market: DhanMarket) -> None:
        order_id = self._place(market)
        assert report_of(market.own, order_id).quantity == 200

    def test_are_changed_in_lots(self, market: DhanMarket) -> None:
        order_id = self._place(market)
        change = change_of(order_id, self._order(market), quantity=100)
        assert isinstance(market.own.modify(change), Accepted)
        assert report_of(market.own, order_id).quantity == 100

    def test_fill_in_units_everywhere(self, market: DhanMarket) -> None:
        order_id = self._place(market)
        market.trade("4900", volume=10_000, token=CRUDE)
        assert report_of(market.own, order_id).filled_quantity == 200
        assert sum(each.quantity for each in market.own.trades()) == 200
        assert [each.quantity for each in market.own.positions()] == [200]

    def test_of_no_whole_lot_are_not_sent(self, market: DhanMarket) -> None:
        outcome = market.own.place(buy(market.ref(CRUDE), quantity=150, price=Decimal(5000)))
        assert isinstance(outcome, Refused)
        assert "lots of 100" in outcome.reason
        assert market.stand.requests("POST /v2/orders") == []

    def _order(self, market: DhanMarket):
        return buy(market.ref(CRUDE), quantity=200, price=Decimal(4950), product=Product.NRML)

    def _place(self, market: DhanMarket) -> str:
        return placed(market.own.place(self._order(market)))


class TestAnUnknownInstrument:
    def test_is_reported_under_a_key_that_says_so(self, market: DhanMarket) -> None:
        placed(market.own.place(buy(market.share)))
        install_directory(market.stand.listing(without=SHARE))
        (report,) = market.own.orders()
        assert report.instrument_key == f"DHAN?NSE_EQ:{SHARE}"


class TestTheProfile:
    def test_tells_until_when_the_login_is_good(self, market: DhanMarket) -> None:
        profile = market.own.profile()
        assert profile.client_code == CLIENT
        assert "Equity" in profile.exchanges
        assert profile.token_valid_until is not None


class TestTheKillSwitch:
    def test_is_read(self, market: DhanMarket) -> None:
        assert market.own.kill_switch_is_on() is False
        market.stand.house.kill_switches[CLIENT] = "ACTIVATE"
        assert market.own.kill_switch_is_on() is True


class TestSelling:
    def test_tells_what_the_depository_wants(self, market: DhanMarket) -> None:
        market.stand.broker.give_holding(CLIENT, SHARE, 25, Decimal(90))
        (wanted,) = market.own.sale_authorisations()
        assert (wanted.isin, wanted.quantity, wanted.approved_quantity) == ("INE000A01001", 25, 0)

    def test_brings_the_depositorys_form(self, market: DhanMarket) -> None:
        page = market.own.authorisation_page("INE000A01001", 5)
        assert page.startswith("<form")
        assert 'value="INE000A01001"' in page

"""What Angel One takes, what never leaves, and as what the rest leaves."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.abilities import (
    BracketRequest,
)
from brokers.capabilities import MarketHandling
from brokers.gateway import Accepted, BrokerStatus, Refused
from brokers.simulator.exchange import Session, SimOrderRequest
from brokers.simulator.faults import FaultName
from brokers.terms import OrderType, Product, Segment, Side, Validity
from tests.brokers.angel.market import CLIENT, DEMO, AngelMarket
from tests.brokers.contract import buy, cancel_of, placed, report_of


class TestCapabilities:
    def test_refuse_what_is_prohibited_to_algorithms(self, market: AngelMarket) -> None:
        able = market.gateway.capabilities(Segment.NSE_EQ)
        assert able is not None
        assert Validity.IOC not in able.validities
        assert OrderType.SL_M not in able.order_types
        assert able.market is MarketHandling.PROTECTED

    def test_keep_triggers_to_shares(self, market: AngelMarket) -> None:
        able = market.gateway.capabilities(Segment.NSE_FNO)
        assert able is not None
        assert able.triggers == frozenset()


class TestSending:
    @pytest.mark.parametrize(
        "changes",
        [
            {"order_type": OrderType.SL_M, "price": None, "trigger_price": Decimal("101.00")},
            {"validity": Validity.IOC},
            {"product": Product.CO},
            {"product": Product.NRML},
            {"quantity": 0},
            {"tag": "A" * 21},
            {"instrument": replace(DEMO, token="")},
            {"instrument": replace(DEMO, segment=Segment.IDX)},
        ],
    )
    def test_what_cannot_be_taken_never_leaves(
        self, market: AngelMarket, changes: dict[str, Any]
    ) -> None:
        outcome = market.gateway.place(buy(DEMO, **changes))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"
        assert market.sent("*placeOrder") == []

    def test_a_market_order_without_a_price_never_leaves(self, market: AngelMarket) -> None:
        market.stand.faults.arm(FaultName.HTML_200, match="*getLtpData")
        outcome = market.gateway.place(buy(DEMO, order_type=OrderType.MARKET, price=None))
        assert isinstance(outcome, Refused)
        assert market.sent("*placeOrder") == []

    def test_a_market_order_leaves_as_a_protected_limit(self, market: AngelMarket) -> None:
        market.trade("101.00")
        request = buy(DEMO, order_type=OrderType.MARKET, price=None, side=Side.SELL)
        report = report_of(market.gateway, placed(market.gateway.place(request)))
        assert (report.order_type, report.price) == (OrderType.LIMIT, Decimal("99.95"))

    def test_a_tag_of_twenty_characters_comes_back(self, market: AngelMarket) -> None:
        placed(market.gateway.place(buy(DEMO, tag="1ABCDEFGHJKMNPQRSTVW")))
        assert [each.tag for each in market.gateway.orders()] == ["1ABCDEFGHJKMNPQRSTVW"]

    def test_an_after_market_order_waits_for_the_open(self, market: AngelMarket) -> None:
        market.stand.broker.set_session(Session.CLOSED)
        report = report_of(market.gateway, placed(market.gateway.place(buy(DEMO, is_amo=True))))
        assert report.status is BrokerStatus.QUEUED_AMO

    def test_an_order_that_became_after_market_by_itself_can_be_cancelled(
        self, market: AngelMarket
    ) -> None:
        market.stand.broker.set_session(Session.CLOSED)
        broker_order_id = placed(market.gateway.place(buy(DEMO)))
        assert isinstance(market.gateway.cancel(cancel_of(broker_order_id, DEMO)), Accepted)
        market.wait()
        report = report_of(market.gateway, broker_order_id)
        assert report.status is BrokerStatus.CANCELLED

    def test_an_order_of_nobody_s_tag_is_told_too(self, market: AngelMarket) -> None:
        placed(market.gateway.place(buy(DEMO)))
        market.stand.broker.place_external(CLIENT, _external())
        assert [each.tag for each in market.gateway.orders()] == ["TAG1", ""]

    def test_nobody_logged_in_refuses(self, market: AngelMarket) -> None:
        market.account.connection.auth_tokens.update(is_active=False)
        outcome = market.gateway.place(buy(DEMO))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"


class TestBrackets:
    def test_want_a_target(self, market: AngelMarket) -> None:
        outcome = market.gateway.place_bracket(BracketRequest(buy(DEMO), Decimal("98.00")))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_may_be_blocked(self, market: AngelMarket) -> None:
        request = BracketRequest(buy(DEMO), Decimal("98.00"), target=Decimal("103.00"))
        outcome = market.gateway.place_bracket(request)
        assert isinstance(outcome, Refused)
        assert outcome.proof == "AB2002"
        body = market.stand.app.state.requests.all("*placeOrder")[0].body
        assert b'"squareoff": "3.00"' in body
        assert b'"stoploss": "2.00"' in body


def _external() -> SimOrderRequest:
    return SimOrderRequest(
        tag="",
        instrument_token=DEMO.token,
        side=Side.BUY,
        quantity=1,
        order_type=OrderType.LIMIT,
        product=Product.MIS,
        price=Decimal("99.00"),
    )

"""Through the governed gateway: what may hold back an entry never holds back a way out."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError

from brokers.addresses import configure_address
from brokers.gateway import Accepted, Gateway, Refused
from brokers.governed import GovernedGateway
from brokers.governor import Figures, Governor
from brokers.models import BrokerConnection, RateLimitWindow
from brokers.rate_windows import TableWindows
from tests.brokers.contract import buy, cancel_of, change_of, placed
from tests.brokers.dhan.market import DhanMarket


class Uncountable(TableWindows):
    """What the database is while it does not answer."""

    def take(self, connection: BrokerConnection, *told: object, now: datetime) -> float:
        raise OperationalError("the pool is full")


@dataclass
class Guarded:
    market: DhanMarket
    resting: str
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        self.gateway = self.market.gateway


@pytest.fixture
def guarded(market: DhanMarket) -> Guarded:
    """An order rests in the book."""
    market.trade("101.00")
    order_id = placed(market.gateway.place(buy(market.share)))
    market.wait()
    return Guarded(market, order_id)


class TestAnAddressNobodyLookedAt:
    @pytest.fixture(autouse=True)
    def _registered(self, guarded: Guarded) -> None:
        connection, now = guarded.market.account.connection, guarded.market.now()
        configure_address(connection, static_ip="203.0.113.44", egress="", now=now)

    def test_holds_back_an_entry(self, guarded: Guarded) -> None:
        outcome = guarded.gateway.place(buy(guarded.market.share, tag="TAG2"))
        assert isinstance(outcome, Refused)
        assert outcome.proof == "NOT_SENT"

    def test_holds_back_a_change(self, guarded: Guarded) -> None:
        change = change_of(guarded.resting, buy(guarded.market.share), quantity=5)
        assert isinstance(guarded.gateway.modify(change), Refused)

    def test_lets_a_change_of_an_exit_leave(self, guarded: Guarded) -> None:
        request = buy(guarded.market.share)
        change = change_of(guarded.resting, request, quantity=5, is_exit=True)
        assert isinstance(guarded.gateway.modify(change), Accepted)

    def test_lets_a_cancel_leave(self, guarded: Guarded) -> None:
        cancel = cancel_of(guarded.resting, guarded.market.share)
        assert isinstance(guarded.gateway.cancel(cancel), Accepted)

    def test_lets_an_exit_leave(self, guarded: Guarded) -> None:
        exit_order = buy(guarded.market.share, tag="TAG2", is_exit=True)
        assert isinstance(guarded.gateway.place(exit_order), Accepted)


class TestWindowsThatEntriesHaveFilled:
    @pytest.fixture(autouse=True)
    def _filled(self, guarded: Guarded) -> None:
        """Fill the hour: the entries' share of a thousand is 800."""
        connection, now = guarded.market.account.connection, guarded.market.now()
        RateLimitWindow.objects.create(
            connection=connection,
            endpoint="orders",
            window_seconds=3600,
            window_start=now - timedelta(minutes=30),
            request_count=800,
        )

    def test_hold_back_an_entry(self, guarded: Guarded) -> None:
        outcome = guarded.gateway.place(buy(guarded.market.share, tag="TAG2"))
        assert isinstance(outcome, Refused)

    def test_let_an_exit_leave(self, guarded: Guarded) -> None:
        exit_order = buy(guarded.market.share, tag="TAG2", is_exit=True)
        assert isinstance(guarded.gateway.place(exit_order), Accepted)


class TestWhileNobodyCanCount:
    @pytest.fixture
    def gateway(self, guarded: Guarded) -> Gateway:
        market = guarded.market
        governor = Governor(market.account.connection, Figures((), ()), market.now, Uncountable())
        return GovernedGateway(market.own, governor, market.now)

    def test_an_entry_is_refused_in_words(self, guarded: Guarded, gateway: Gateway) -> None:
        outcome = gateway.place(buy(guarded.market.share, tag="TAG2"))
        assert isinstance(outcome, Refused)
        assert "cannot be counted" in outcome.reason

    def test_an_exit_leaves(self, guarded: Guarded, gateway: Gateway) -> None:
        exit_order = buy(guarded.market.share, tag="TAG2", is_exit=True)
        assert isinstance(gateway.place(exit_order), Accepted)


class TestAChange:
    def test_says_nothing_of_what_is_disclosed(self, guarded: Guarded) -> None:
        change = change_of(guarded.resting, buy(guarded.market.share), quantity=5)
        assert isinstance(guarded.gateway.modify(change), Accepted)
        assert "disclosedQuantity" not in json.loads(guarded.market.stand.body("PUT *"))

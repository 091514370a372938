"""The paper broker's book outlives its process, keeps to itself, and says what it cannot prove."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from brokers.adapters.paper.acceptance import Proof
from brokers.adapters.paper.desk import Desk
from brokers.adapters.paper.exchange import advance, match
from brokers.adapters.paper.gateway import PaperGateway
from brokers.gateway import Accepted, GatewayUnavailable, Outcome, QuoteTick, Refused
from brokers.models import PaperAccount, PaperOrder, PaperPosition, PaperTrade, TradingAccount
from brokers.registry import brokers, gateway_for
from brokers.terms import InstrumentType, Product, Side
from brokers.venue import ChargesUnknown
from tests.brokers.contract import buy, cancel_of, placed, report_of
from tests.brokers.paper import SHARE, PaperMarket, make_paper_account
from tests.brokers.test_paper_sessions import THURSDAY, at
from tests.builders import NOW


def tick(price: str, *, seconds: int = 1, volume: int = 1000) -> QuoteTick:
    return QuoteTick(SHARE.key, Decimal(price), NOW + timedelta(seconds=seconds), volume)


class Killed(Exception):
    """Stands for the end of the process in the middle of its work."""


class TestRestart:
    def test_finds_the_orders_again(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        reopened = gateway_for(TradingAccount.objects.get(), clock=market.now)
        assert [each.broker_order_id for each in reopened.orders()] == [broker_order_id]

    def test_takes_no_tag_twice(self, market: PaperMarket) -> None:
        first = market.gateway.place(buy(SHARE))
        reopened = gateway_for(TradingAccount.objects.get(), clock=market.now)
        assert reopened.place(buy(SHARE)) == first

    def test_shows_the_fills_that_nobody_was_told_of(self, market: PaperMarket) -> None:
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        match([tick("99")], at=NOW + timedelta(seconds=1))
        assert report_of(market.gateway, broker_order_id).filled_quantity == 10
        assert len(market.gateway.trades()) == 1


class DyingAt:
    """A database connection in which the process dies before its nth statement on the book.

    Savepoints do not count: here they stand for the transaction's own begin and commit.
    """

    def __init__(self, statement: int) -> None:
        self.left = statement

    def __call__(self, execute: Callable[..., object], sql: str, *rest: object) -> object:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self.left -= 1
            if self.left == 0:
                raise Killed
        return execute(sql, *rest)


class TestKill:
    def test_before_any_statement_of_a_fill_leaves_all_of_it_or_none(
        self, market: PaperMarket
    ) -> None:
        placed(market.gateway.place(buy(SHARE)))
        market.wait()
        unfilled = self._book(market)
        for statement in range(1, 60):
            try:
                with connection.execute_wrapper(DyingAt(statement)):
                    match([tick("99", seconds=2)], at=NOW + timedelta(seconds=2))
            except Killed:
                assert self._book(market) == unfilled, statement
            else:
                break
        assert statement > 8
        assert self._book(market) == (1, 10, Decimal("999999.70"), 10)

    def test_before_any_statement_of_a_placing_leaves_one_order_or_none(
        self, market: PaperMarket
    ) -> None:
        for statement in range(1, 60):
            try:
                with connection.execute_wrapper(DyingAt(statement)):
                    market.gateway.place(buy(SHARE))
            except Killed:
                assert PaperOrder.objects.count() == 0, statement
            else:
                break
        assert statement > 5
        assert PaperOrder.objects.count() == PaperAccount.objects.get().order_count == 1

    def _book(self, market: PaperMarket) -> tuple[int, int, Decimal, int]:
        return (
            PaperTrade.objects.count(),
            PaperOrder.objects.get().filled_quantity,
            PaperAccount.objects.get().cash,
            sum(position.quantity for position in PaperPosition.objects.all()),
        )


class TestWithoutNetwork:
    @pytest.fixture(autouse=True)
    def _no_sockets(self, market: PaperMarket, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        def refuse(*_: object) -> None:
            raise AssertionError("The paper broker opened a socket")

        with monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect", refuse)
            patch.setattr(socket, "getaddrinfo", refuse)
            yield

    def test_a_whole_trade_needs_no_socket(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE), "99")
        market.gateway.cancel(cancel_of(placed(market.gateway.place(buy(SHARE, tag="TWO"))), SHARE))
        market.wait()
        assert market.gateway.funds().cash < Decimal("1000000")


class FaultyGateway(PaperGateway):
    """A paper broker whose database fails at the point a test asks for."""

    def act(self, fault: Exception) -> Outcome:
        def fail(_: Desk) -> Outcome:
            raise fault

        return self._write(fail)


class TestOutcome:
    def test_of_a_write_rolled_back_is_a_refusal(self, market: PaperMarket) -> None:
        gateway = FaultyGateway(market.account, market.now, market.venue)
        outcome = gateway.act(OperationalError("database is locked"))
        assert isinstance(outcome, Refused)
        assert outcome.proof == Proof.ROLLED_BACK

    def test_of_unknown_charges_is_a_refusal(self, market: PaperMarket) -> None:
        gateway = FaultyGateway(market.account, market.now, market.venue)
        outcome = gateway.act(ChargesUnknown("no rate"))
        assert isinstance(outcome, Refused)
        assert outcome.proof == Proof.CHARGES

    def test_of_a_read_beyond_the_calendar_is_the_last_that_was_known(
        self, market: PaperMarket
    ) -> None:
        market.fill(buy(SHARE, product=Product.CNC), "99")
        market.venue.known_until = NOW.date()
        market.at = at("10:00", THURSDAY)
        assert [each.quantity for each in market.gateway.positions()] == [10]

    def test_of_a_read_without_a_database_is_unavailable(self, market: PaperMarket) -> None:
        def fail(*_: object) -> None:
            raise DatabaseError("gone")

        with (
            connection.execute_wrapper(fail),
            pytest.raises(GatewayUnavailable),
        ):
            market.gateway.orders()


class TestManyAccounts:
    def test_share_one_tick_s_volume(self, market: PaperMarket) -> None:
        other = PaperMarket(make_paper_account("ravi"), market.venue)
        first = placed(market.gateway.place(buy(SHARE)))
        second = placed(other.gateway.place(buy(SHARE)))
        match([tick("99", volume=48)], at=NOW + timedelta(seconds=1))
        filled = [
            report_of(market.gateway, first).filled_quantity,
            report_of(other.gateway, second).filled_quantity,
        ]
        assert sorted(filled) == [2, 10]

    def test_are_told_of_their_own_orders_only(self, market: PaperMarket) -> None:
        other = PaperMarket(make_paper_account("ravi"), market.venue)
        placed(market.gateway.place(buy(SHARE)))
        placed(other.gateway.place(buy(SHARE)))
        updates = match([tick("99", volume=1000)], at=NOW + timedelta(seconds=1))
        assert {update.account_id for update in updates} == {market.account.pk, other.account.pk}
        assert [len(update.orders) for update in updates] == [1, 1]
        assert [len(update.trades) for update in updates] == [1, 1]

    def test_may_use_the_same_tag(self, market: PaperMarket) -> None:
        other = PaperMarket(make_paper_account("ravi"), market.venue)
        first = placed(market.gateway.place(buy(SHARE)))
        assert placed(other.gateway.place(buy(SHARE))) != first

    def test_do_not_see_one_another_s_orders(self, market: PaperMarket) -> None:
        other = PaperMarket(make_paper_account("ravi"), market.venue)
        broker_order_id = placed(market.gateway.place(buy(SHARE)))
        assert other.gateway.orders() == []
        assert isinstance(other.gateway.cancel(cancel_of(broker_order_id, SHARE)), Refused)


class TestReplay:
    @pytest.fixture
    def replayed(self, market: PaperMarket) -> PaperMarket:
        TradingAccount.objects.update(own_clock=True)
        placed(market.gateway.place(buy(SHARE)))
        return market

    def test_is_left_alone_by_the_live_market(self, replayed: PaperMarket) -> None:
        soon = NOW + timedelta(seconds=1)
        assert match([tick("99")], at=soon) == []
        assert advance(at=NOW + timedelta(days=30)) == []

    def test_names_its_accounts(self, replayed: PaperMarket) -> None:
        soon = NOW + timedelta(seconds=1)
        updates = match([tick("99")], at=soon, accounts=[replayed.account.pk])
        assert [len(update.trades) for update in updates] == [1]


class TestTheCostOf:
    def test_a_tick_nobody_waits_for_is_one_query(
        self, market: PaperMarket, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            match([tick("99")], at=NOW + timedelta(seconds=1))

    def test_a_tick_that_changes_nothing_is_two_queries(
        self, market: PaperMarket, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        placed(market.gateway.place(buy(SHARE)))
        market.wait()
        market.trade("101")
        later = market.at + timedelta(seconds=1)
        with django_assert_num_queries(2):
            match([QuoteTick(SHARE.key, Decimal("102"), later, 1000)], at=later)

    def test_a_quiet_moment_is_two_queries(
        self, market: PaperMarket, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(2):
            advance(at=NOW)

    def test_a_fill_does_not_grow_with_the_accounts(
        self, market: PaperMarket, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        markets = [market, *(PaperMarket(make_paper_account(f"u{n}"), market.venue) for n in "abc")]
        for each in markets:
            placed(each.gateway.place(buy(SHARE)))
        with django_assert_max_num_queries(28):
            updates = match([tick("99", volume=10_000)], at=NOW + timedelta(seconds=1))
        assert len(updates) == 4


class TestStalePrices:
    def test_fill_nothing(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE)))
        assert match([tick("99", seconds=1)], at=NOW + timedelta(seconds=40)) == []

    def test_of_nothing_fill_nothing(self, market: PaperMarket) -> None:
        placed(market.gateway.place(buy(SHARE, side=Side.BUY)))
        assert match([tick("0")], at=NOW + timedelta(seconds=1)) == []


class TestTheBroker:
    def test_is_known_to_the_house_as_paper(self) -> None:
        paper = next(each for each in brokers() if each.name == "paper")
        assert paper.is_paper

    def test_answers_the_same_tag_with_the_same_moment(self, market: PaperMarket) -> None:
        first = market.gateway.place(buy(SHARE))
        market.wait()
        assert isinstance(first, Accepted)
        assert market.gateway.place(buy(SHARE)) == first
        assert SHARE.instrument_type is InstrumentType.EQ

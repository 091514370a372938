"""The pipeline: from a price to quotes, candles, fills, books, marks, rules and exits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from brokers.gateway import QuoteTick
from brokers.models import BrokerConnection, TradingAccount
from brokers.registry import UnknownBroker
from brokers.services import open_paper_account
from brokers.terms import OrderType, Side
from market.building import ClosedBar
from market.calendar import IST
from market.demo import ensure_demo_instruments
from market.feeds import TickBatch
from market.models import Candle, Instrument, Interval
from market.quotes import quote_of, write_quotes
from operations.models import ErrorLog
from orders.models import Order, OrderSource, Trade
from orders.requests import OrderRequest
from orders.services.placing import place_order
from orders.services.reconciling import reconcile_account
from orders.services.sending import loaded_order, submit_order
from orders.states import OrderStatus
from portfolio.models import Position, SessionStatus, TradingSession
from portfolio.selectors import latest_funds
from risk.models import RiskRule, RuleType
from strategies.evaluation import Evaluator
from strategies.models import Signal
from tests.builders import make_user, make_workspace
from trading_site.live import MarketPipeline, PipelineSettings, sound

START = datetime(2026, 6, 17, 10, 30, tzinfo=IST)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tick(price: str, seconds: float = 0, *, key: str = "SIM:TCS") -> QuoteTick:
    ltp = Decimal(price)
    step = Decimal("0.10")
    return QuoteTick(key, ltp, at(seconds), 50_000, ltp - step, ltp + step, 5_000, 5_000)


def batch(price: str, seconds: float = 0) -> TickBatch:
    return TickBatch(at(seconds), (tick(price, seconds),))


@pytest.fixture
def share(db: None) -> Instrument:
    return next(each for each in ensure_demo_instruments() if each.key == "SIM:TCS")


@pytest.fixture
def account(share: Instrument) -> TradingAccount:
    user = make_user()
    account = open_paper_account(
        make_workspace(user), user=user, name="Practice", cash=Decimal(1_000_000), now=START
    )
    reconcile_account(account, clock=lambda: START)
    write_quotes([tick("3000")])
    return account


def place(account: TradingAccount, share: Instrument, *, seconds: float = 0, side: Side = Side.BUY,
          price: str | None = None) -> Order:  # fmt: skip
    request = OrderRequest(
        account=account,
        instrument=share,
        side=side,
        quantity=10,
        order_type=OrderType.LIMIT if price else OrderType.MARKET,
        price=Decimal(price) if price else None,
    )
    return place_order(
        request, user=account.workspace.owner, idempotency_key=f"{side}{seconds}", now=at(seconds)
    )


def replay_of(
    account: TradingAccount, *, marked_every: timedelta = timedelta(seconds=2)
) -> MarketPipeline:
    TradingAccount.objects.filter(pk=account.pk).update(own_clock=True)
    account.refresh_from_db()
    return MarketPipeline(
        PipelineSettings(Evaluator(accounts=(account,)), marked_every=marked_every)
    )


class TestProcess:
    def test_writes_the_quotes(self, share: Instrument) -> None:
        MarketPipeline().process(batch("3001"))
        quote = quote_of(share.key)
        assert quote is not None
        assert quote.ltp == 3001

    def test_stores_a_candle_once_its_minute_is_over(self, share: Instrument) -> None:
        pipeline = MarketPipeline()
        for seconds, price in ((0, "3000"), (30, "3010"), (60, "3005")):
            pipeline.process(batch(price, seconds))
        candle = Candle.objects.get(instrument=share, interval=Interval.M1)
        assert [candle.open, candle.high, candle.close] == [
            Decimal(3000),
            Decimal(3010),
            Decimal(3010),
        ]

    def test_takes_prices_of_unknown_instruments_without_a_fault(self, db: None) -> None:
        pipeline = MarketPipeline()
        for seconds in (0, 60):
            pipeline.process(TickBatch(at(seconds), (tick("1", seconds, key="SIM:NOBODY"),)))
        assert not Candle.objects.exists()
        assert not ErrorLog.objects.exists()

    def test_fills_and_books_a_waiting_order(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        order = place(account, share)
        submit_order(loaded_order(order.pk), clock=lambda: START)
        pipeline = MarketPipeline()
        for seconds in range(1, 4):
            pipeline.process(batch("3000", seconds))
        order.refresh_from_db()
        position = Position.objects.open().get()
        assert order.status == OrderStatus.FILLED
        assert (position.quantity, position.average_price) == (10, Decimal("3000.10"))

    def test_tells_the_money_that_a_fill_has_left(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        submit_order(loaded_order(place(account, share).pk), clock=lambda: START)
        pipeline = MarketPipeline()
        for seconds in range(1, 4):
            pipeline.process(batch("3000", seconds))
        funds = latest_funds(account)
        assert funds is not None
        assert (funds.margin_used > 0, funds.as_of) == (True, at(1))

    def test_asks_for_no_money_where_nothing_fills(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        pipeline = MarketPipeline()
        for seconds in range(1, 4):
            pipeline.process(batch("3000", seconds))
        funds = latest_funds(account)
        assert funds is not None
        assert funds.as_of == START

    def test_marks_open_positions(self, account: TradingAccount, share: Instrument) -> None:
        submit_order(loaded_order(place(account, share).pk), clock=lambda: START)
        pipeline = MarketPipeline()
        for seconds, price in enumerate(("3000", "3000", "3000", "3010", "3020", "3020"), start=1):
            pipeline.process(batch(price, seconds))
        assert Position.objects.open().get().unrealized_pnl == Decimal("199.00")

    def test_leaves_accounts_on_another_clock_alone(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        order = place(account, share)
        submit_order(loaded_order(order.pk), clock=lambda: START)
        TradingAccount.objects.filter(pk=account.pk).update(own_clock=True)
        pipeline = MarketPipeline()
        for seconds in range(1, 4):
            pipeline.process(batch("3000", seconds))
        assert not Trade.objects.exists()


class TestProtectiveExit:
    def test_closes_what_a_trailing_stop_demands(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        RiskRule.objects.create(
            workspace=account.workspace,
            user=account.workspace.owner,
            rule_type=RuleType.TRAILING_STOP,
            rule_value=Decimal(5),
        )
        place(account, share)
        pipeline = replay_of(account, marked_every=timedelta(seconds=1))
        prices = ["3000"] * 4 + ["3020"] * 3 + ["3010"] * 8
        for seconds, price in enumerate(prices, start=1):
            pipeline.process(batch(price, seconds))
        exit_order = Order.objects.get(source=OrderSource.RISK)
        assert exit_order.status == OrderStatus.FILLED
        assert not Position.objects.open().exists()


class TestReplay:
    def play(self, account: TradingAccount, share: Instrument) -> list[tuple[object, ...]]:
        pipeline = replay_of(account)
        place(account, share)
        for seconds, price in enumerate(("3000", "3001", "3002", "3003"), start=1):
            pipeline.process(batch(price, seconds))
        pipeline.finish(at(4))
        return list(Trade.objects.order_by("pk").values_list("quantity", "price", "traded_at"))

    def test_sends_its_own_orders_by_the_time_of_its_batches(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        trades = self.play(account, share)
        assert [traded_at for _, _, traded_at in trades] == [at(2)]

    def test_stores_no_candles_of_its_own(self, account: TradingAccount, share: Instrument) -> None:
        pipeline = replay_of(account)
        for seconds in (0, 60, 120):
            pipeline.process(batch("3000", seconds))
        assert not Candle.objects.exists()

    def test_ends_the_days_that_it_began(self, account: TradingAccount, share: Instrument) -> None:
        self.play(account, share)
        assert TradingSession.objects.get().status == SessionStatus.COMPLETED

    def test_ends_a_day_when_the_next_begins(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        pipeline = replay_of(account)
        place(account, share)
        pipeline.process(batch("3000", 1))
        pipeline.process(batch("3000", 86_400))
        assert TradingSession.objects.earliest("session_date").status == SessionStatus.COMPLETED

    def test_fails_at_the_first_error(self, account: TradingAccount, share: Instrument) -> None:
        pipeline = replay_of(account)
        place(account, share)
        BrokerConnection.objects.update(broker_type="nobody")
        with pytest.raises(UnknownBroker):
            pipeline.process(batch("3000", 1))


@dataclass(frozen=True, slots=True)
class FailingEvaluator(Evaluator):
    """Strategies of which one cannot be evaluated."""

    def on_candles_closed(self, closed: Sequence[ClosedBar], *, now: datetime) -> list[Signal]:
        raise ArithmeticError("no such indicator")


class TestLiveFailure:
    def test_is_written_down_and_the_rest_goes_on(
        self, account: TradingAccount, share: Instrument
    ) -> None:
        submit_order(loaded_order(place(account, share).pk), clock=lambda: START)
        pipeline = MarketPipeline(PipelineSettings(FailingEvaluator()))
        for seconds in (0, 1, 2, 60, 62):
            pipeline.process(batch("3001", seconds))
        assert ErrorLog.objects.get().context == {"stage": "strategies"}
        assert Position.objects.open().get().marked_at == at(62)


class TestSound:
    @pytest.mark.parametrize("price", ["NaN", "Infinity", "0", "-5", "10000000000"])
    def test_leaves_out_what_is_no_price(self, price: str) -> None:
        wrong = replace(tick("3000"), ltp=Decimal(price))
        assert sound(TickBatch(at(0), (wrong, tick("3000")))).ticks == (tick("3000"),)

    def test_leaves_out_what_comes_from_the_future(self) -> None:
        assert sound(TickBatch(at(0), (tick("3000", 6),))).ticks == ()
        assert len(sound(TickBatch(at(0), (tick("3000", 5),))).ticks) == 1

"""The paper broker closes intraday positions by itself, as brokers do."""

from datetime import date
from decimal import Decimal

from brokers.gateway import BrokerStatus, Refused
from brokers.models import EntryKind, PaperLedgerEntry, PaperOrder
from brokers.terms import OrderType, Product, Side
from brokers.venue import Settlement
from tests.brokers.contract import buy, cancel_of, placed, report_of
from tests.brokers.paper import FUTURE, SHARE, PaperMarket
from tests.brokers.test_paper_sessions import THURSDAY, at, pass_to

DUE = at("15:15")


def intraday_long(market: PaperMarket) -> None:
    market.fill(buy(SHARE), "99")


class TestSquareOff:
    def test_does_not_come_early(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, at("15:14"))
        assert len(market.gateway.orders()) == 1

    def test_sells_what_was_bought_in_the_broker_s_own_name(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, DUE)
        own = market.gateway.orders()[-1]
        assert (own.tag, own.side, own.quantity, own.order_type, own.product) == (
            "",
            Side.SELL,
            10,
            OrderType.MARKET,
            Product.MIS,
        )

    def test_buys_back_what_was_sold_short(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE, side=Side.SELL, price=Decimal("90.00")), "99")
        pass_to(market, DUE)
        assert market.gateway.orders()[-1].side is Side.BUY

    def test_is_told_to_the_house(self, market: PaperMarket) -> None:
        intraday_long(market)
        market.told.clear()
        pass_to(market, DUE)
        assert [order.tag for update in market.told for order in update.orders] == [""]

    def test_leaves_the_position_flat_after_the_next_trade(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, DUE)
        market.trade("98", volume=1000)
        assert [each.quantity for each in market.gateway.positions()] == [0]

    def test_follows_a_market_that_runs_away(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, DUE)
        market.trade("98", volume=0)
        market.trade("80", volume=1000)
        assert [each.quantity for each in market.gateway.positions()] == [0]

    def test_is_sent_once(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, DUE)
        pass_to(market, at("15:16"))
        assert PaperOrder.objects.filter(is_square_off=True).count() == 1

    def test_cancels_the_working_intraday_orders_first(self, market: PaperMarket) -> None:
        intraday_long(market)
        waiting = placed(market.gateway.place(buy(SHARE, tag="WAITS", price=Decimal("90.00"))))
        pass_to(market, DUE)
        assert report_of(market.gateway, waiting).status is BrokerStatus.CANCELLED

    def test_leaves_delivery_alone(self, market: PaperMarket) -> None:
        market.fill(buy(SHARE, product=Product.CNC), "99")
        pass_to(market, DUE)
        assert len(market.gateway.orders()) == 1

    def test_leaves_what_is_carried_forward_alone(self, market: PaperMarket) -> None:
        market.share = FUTURE
        market.fill(buy(FUTURE, quantity=65, product=Product.NRML), "99")
        pass_to(market, DUE)
        assert len(market.gateway.orders()) == 1

    def test_does_not_exist_where_the_venue_has_no_time_for_it(self, market: PaperMarket) -> None:
        market.venue.square_off = None
        intraday_long(market)
        pass_to(market, at("15:29"))
        assert len(market.gateway.orders()) == 1

    def test_missed_in_the_evening_comes_at_the_next_open(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, at("09:16", THURSDAY))
        assert market.gateway.orders()[-1].tag == ""

    def test_takes_up_what_an_expired_square_off_left(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, DUE)
        market.trade("98", volume=16)
        pass_to(market, at("15:30"))
        pass_to(market, at("09:16", THURSDAY))
        own = [each for each in market.gateway.orders() if each.status is BrokerStatus.PLACED]
        assert [each.quantity for each in own] == [6]

    def test_cannot_be_cancelled_by_the_client(self, market: PaperMarket) -> None:
        intraday_long(market)
        pass_to(market, DUE)
        own = market.gateway.orders()[-1]
        assert isinstance(market.gateway.cancel(cancel_of(own.broker_order_id, SHARE)), Refused)


class TestExpiry:
    def test_waits_for_the_exchange_s_price_however_old_the_last_tick(
        self, market: PaperMarket
    ) -> None:
        self._carry_a_future_to_its_last_evening(market, last="120")
        assert [each.quantity for each in market.gateway.positions()] == [65]

    def test_settles_at_the_exchange_s_price(self, market: PaperMarket) -> None:
        self._carry_a_future_to_its_last_evening(market, last="120", settled="125")
        assert [each.quantity for each in market.gateway.positions()] == [0]
        # 65 × 25 of profit, less 0.03 % of 6,500 when it was bought and 1.50 at the end.
        assert market.gateway.funds().cash == Decimal("1001621.55")

    def test_is_neither_an_order_nor_a_trade(self, market: PaperMarket) -> None:
        self._carry_a_future_to_its_last_evening(market, settled="125")
        assert (market.gateway.orders(), market.gateway.trades()) == ([], [])

    def test_happens_once(self, market: PaperMarket) -> None:
        self._carry_a_future_to_its_last_evening(market, settled="125")
        pass_to(market, at("09:16", date(2026, 7, 1)))
        kinds = PaperLedgerEntry.objects.filter(kind=EntryKind.SETTLEMENT)
        assert kinds.count() == 1

    def test_happens_the_day_after_where_the_price_comes_late(self, market: PaperMarket) -> None:
        self._carry_a_future_to_its_last_evening(market)
        pass_to(market, at("09:16", date(2026, 7, 1)))
        market.venue.settlements[FUTURE.key] = Settlement(Decimal(90), Decimal(0))
        pass_to(market, at("09:17", date(2026, 7, 1)))
        assert market.gateway.funds().cash == Decimal("999348.05")

    def _carry_a_future_to_its_last_evening(
        self, market: PaperMarket, *, last: str = "120", settled: str | None = None
    ) -> None:
        market.share = FUTURE
        market.fill(buy(FUTURE, quantity=65, product=Product.NRML), "100")
        market.venue.prices[FUTURE.key] = Decimal(last)
        if settled is not None:
            market.venue.settlements[FUTURE.key] = Settlement(Decimal(settled), Decimal("1.50"))
        pass_to(market, at("15:29", date(2026, 6, 30)))
        assert market.gateway.positions()[0].quantity == 65
        pass_to(market, at("15:31", date(2026, 6, 30)))


class TestSettlement:
    delivery = buy(SHARE, product=Product.CNC)

    def test_shows_what_was_bought_today_as_a_position(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        assert [each.quantity for each in market.gateway.positions()] == [10]
        assert market.gateway.holdings() == []

    def test_makes_settled_holdings_of_it_a_trading_day_later(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        market.at = at("09:00", THURSDAY)
        held = market.gateway.holdings()
        assert [(each.quantity, each.t1_quantity) for each in held] == [(10, 0)]
        assert market.gateway.positions() == []

    def test_keeps_the_price_paid(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        market.at = at("09:00", THURSDAY)
        assert market.gateway.holdings()[0].average_price == Decimal(99)

    def test_is_under_way_over_the_weekend(self, market: PaperMarket) -> None:
        market.at = at("11:00", date(2026, 6, 19))
        market.fill(self.delivery, "99")
        market.at = at("11:00", date(2026, 6, 20))
        held = market.gateway.holdings()
        assert [(each.quantity, each.t1_quantity) for each in held] == [(0, 10)]
        market.at = at("11:00", date(2026, 6, 22))
        assert market.gateway.holdings()[0].quantity == 10

    def test_happens_once_however_often_it_is_read(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        market.at = at("09:00", THURSDAY)
        market.gateway.holdings()
        assert market.gateway.holdings()[0].quantity == 10

    def test_delivers_what_was_sold_the_day_after(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        market.at = at("10:00", THURSDAY)
        sale = buy(SHARE, tag="S", side=Side.SELL, product=Product.CNC, quantity=4)
        market.fill(sale, "105")
        assert [each.quantity for each in market.gateway.positions()] == [-4]
        market.at = at("09:00", date(2026, 6, 19))
        assert [each.quantity for each in market.gateway.holdings()] == [6]

    def test_leaves_no_holding_of_what_was_all_sold(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        market.at = at("10:00", THURSDAY)
        market.fill(buy(SHARE, tag="S", side=Side.SELL, product=Product.CNC), "105")
        market.at = at("09:00", date(2026, 6, 19))
        assert market.gateway.holdings() == []

    def test_carries_a_future_over_with_the_day_s_counters_at_nothing(
        self, market: PaperMarket
    ) -> None:
        market.share = FUTURE
        market.fill(buy(FUTURE, quantity=65, product=Product.NRML), "99")
        market.at = at("10:00", THURSDAY)
        position = market.gateway.positions()[0]
        assert (position.quantity, position.buy_quantity) == (65, 0)
        assert position.average_price == Decimal(99)

    def test_notes_the_cash_the_day_began_with(self, market: PaperMarket) -> None:
        market.fill(self.delivery, "99")
        market.at = at("09:00", THURSDAY)
        assert market.gateway.funds().opening_balance == Decimal("999009.70")

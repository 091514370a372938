import logging
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError

from brokers.terms import InstrumentType, Product, Segment
from market.models import Instrument
from operations.models import Event
from portfolio.models import (
    Position,
    PositionSide,
    PositionStatus,
    PositionType,
    TradingSession,
)
from portfolio.posting import cash_balance
from portfolio.services import book_fill, deposit
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TOMORROW, make_desk, make_fill, make_running_strategy, trade

pytestmark = pytest.mark.django_db


def make_call() -> Instrument:
    return make_instrument(
        "NFO:NIFTY26JUN25000CE",
        segment=Segment.NSE_FNO,
        instrument_type=InstrumentType.CE,
        lot_size=65,
        strike=Decimal(25000),
    )


class TestBookFill:
    def test_refuses_a_trade_it_has_booked(self) -> None:
        fill = make_fill(make_desk(), make_instrument(), "BUY 10 @ 100")
        book_fill(fill, now=NOW)

        with pytest.raises(IntegrityError):
            book_fill(fill, now=NOW)

    def test_changes_nothing_when_it_refuses(self) -> None:
        fill = make_fill(make_desk(), make_instrument(), "BUY 10 @ 100")
        book_fill(fill, now=NOW)
        session = TradingSession.objects.values().get()

        with pytest.raises(IntegrityError):
            book_fill(fill, now=NOW)

        assert Position.objects.open().get().quantity == 10
        assert TradingSession.objects.values().get() == session

    def test_opens_a_position(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100.50")

        position = Position.objects.open().get()
        assert (position.quantity, position.average_price) == (10, Decimal("100.50"))
        assert position.side == PositionSide.LONG

    def test_adds_to_the_position(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "BUY 30 @ 104")

        position = Position.objects.open().get()
        assert (position.quantity, position.average_price) == (40, Decimal(103))

    def test_closes_the_position(self) -> None:
        account, instrument = make_desk(), make_instrument()

        booked = trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 103")

        position = Position.objects.net().get()
        assert (position.status, position.closed_at) == (PositionStatus.CLOSED, NOW)
        assert booked.realized_pnl == position.realized_pnl == 30
        assert position.unrealized_pnl == 0

    def test_opens_anew_after_the_close(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 103", "BUY 5 @ 101")

        assert Position.objects.net().count() == 2
        assert Position.objects.open().get().realized_pnl == 0

    def test_keeps_strategies_and_products_apart(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", product=Product.MIS)
        trade(account, instrument, "SELL 4 @ 100", product=Product.CNC)

        assert sorted(Position.objects.open().values_list("quantity", flat=True)) == [-4, 10]

    def test_values_the_position_at_its_own_price(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "BUY 10 @ 110")

        position = Position.objects.open().get()
        assert (position.last_price, position.unrealized_pnl) == (Decimal(110), Decimal(100))

    def test_counts_the_day_apart(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 15 @ 110")

        day = Position.objects.get(position_type=PositionType.DAY)
        assert (day.quantity, day.buy_quantity, day.sell_quantity) == (-5, 10, 15)
        assert (day.realized_pnl, day.status) == (Decimal(100), PositionStatus.OPEN)

    def test_books_what_a_day_realised_on_a_position_carried_into_it(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", product=Product.CNC)

        trade(account, instrument, "SELL 4 @ 110", product=Product.CNC, session_date=TOMORROW)

        day = Position.objects.get(position_type=PositionType.DAY, session_date=TOMORROW)
        session = TradingSession.objects.get(session_date=TOMORROW)
        assert day.booked_pnl == session.realized_pnl == 40
        assert day.realized_pnl == 0

    def test_tells_the_pages(self) -> None:
        account = make_desk()

        trade(account, make_instrument(), "BUY 10 @ 100")

        kinds = Event.objects.filter(workspace_id=account.workspace_id).values_list("kind")
        assert {kind for (kind,) in kinds} == {"positions", "funds"}

    def test_takes_a_bounded_number_of_queries(self, django_assert_max_num_queries) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100")
        fill = make_fill(account, instrument, "BUY 10 @ 100")

        with django_assert_max_num_queries(24):
            book_fill(fill, now=NOW)


class TestFlippingFill:
    def test_closes_one_position_and_opens_the_opposite(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 15 @ 110")

        closed = Position.objects.net().get(status=PositionStatus.CLOSED)
        opened = Position.objects.open().get()
        assert (closed.side, closed.realized_pnl) == (PositionSide.LONG, Decimal(100))
        assert (opened.side, opened.quantity, opened.open_cost) == (
            PositionSide.SHORT,
            -5,
            Decimal(-550),
        )

    def test_shares_its_charges_between_the_two(self) -> None:
        account, instrument = make_desk(), make_instrument()
        first = trade(account, instrument, "BUY 10 @ 100")

        second = trade(account, instrument, "SELL 15 @ 110")

        closed, opened = Position.objects.net().order_by("created_at")
        assert closed.charges + opened.charges == first.charges.total + second.charges.total
        assert opened.charges == second.charges.total - closed.charges + first.charges.total


class TestCashOfAFill:
    def test_is_the_whole_value_of_a_delivery(self) -> None:
        account = make_desk()

        booked = trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        assert booked.net_amount == -1000 - booked.charges.total
        assert cash_balance(account) == booked.net_amount

    def test_is_the_premium_of_an_option(self) -> None:
        account = make_desk()

        booked = trade(account, make_call(), "SELL 65 @ 120", product=Product.NRML)

        assert booked.net_amount == 65 * 120 - booked.charges.total

    def test_is_only_the_charges_of_an_intraday_entry(self) -> None:
        booked = trade(make_desk(), make_instrument(), "BUY 10 @ 100")

        assert booked.net_amount == -booked.charges.total

    def test_is_what_an_intraday_exit_realises(self) -> None:
        booked = trade(make_desk(), make_instrument(), "BUY 10 @ 100", "SELL 10 @ 98")

        assert booked.net_amount == -20 - booked.charges.total

    def test_is_what_a_future_realises(self) -> None:
        future = make_instrument(
            "NFO:NIFTY26JUNFUT", segment=Segment.NSE_FNO, instrument_type=InstrumentType.FUT
        )

        booked = trade(
            make_desk(), future, "SELL 65 @ 25000", "BUY 65 @ 24900", product=Product.NRML
        )

        assert booked.net_amount == 6500 - booked.charges.total

    def test_follows_the_broker_where_two_strategies_oppose_each_other(self) -> None:
        account, instrument = make_desk(), make_instrument()
        strategy = make_running_strategy(account)
        trade(account, instrument, "BUY 10 @ 100")

        booked = trade(account, instrument, "SELL 10 @ 104", user_strategy_id=strategy)

        assert booked.realized_pnl == 0
        assert booked.net_amount == 40 - booked.charges.total
        assert Position.objects.open().count() == 2


class TestChargesOfAFill:
    def test_are_worked_out_on_the_whole_order(self) -> None:
        account, instrument = make_desk(), make_instrument()
        first = make_fill(account, instrument, "BUY 1000 @ 100")
        second = replace(
            first, trade_id=uuid.uuid4(), quantity_before=1000, value_before=Decimal(100_000)
        )

        charges = [book_fill(fill, now=NOW).charges for fill in (first, second)]

        assert [each.brokerage for each in charges] == [20, 0]

    def test_are_nothing_where_no_rate_is_on_file(self, caplog: pytest.LogCaptureFixture) -> None:
        share = make_instrument("NASDAQ:AAPL", segment=Segment.US_EQ, currency="USD")
        fill = make_fill(make_desk(currency="USD"), share, "BUY 1 @ 200", product=Product.CNC)

        with caplog.at_level(logging.ERROR):
            booked = book_fill(fill, now=NOW)

        assert (booked.charges.total, booked.charges_known) == (0, False)
        assert "without charges" in caplog.text
        assert Position.objects.open().get().quantity == 1


class TestLateFill:
    def test_does_not_turn_the_price_back(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100")

        trade(account, instrument, "BUY 10 @ 90", at=NOW.replace(hour=4))

        assert Position.objects.open().get().last_price == 100

    def test_counts_in_the_capital_of_a_day_that_has_ended(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(5000), now=NOW)
        trade(account, instrument, "BUY 10 @ 100")
        TradingSession.objects.update(status="COMPLETED", capital_at_end=Decimal(5000))

        booked = trade(account, instrument, "SELL 10 @ 110")

        session = TradingSession.objects.get()
        assert session.capital_at_end == 5000 + 100 - booked.charges.total

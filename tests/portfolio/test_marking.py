from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.gateway import QuoteTick
from brokers.terms import Product
from market.quotes import write_quotes
from portfolio.models import Position, PositionType, TradingSession
from portfolio.services import mark_account
from portfolio.trading_days import day_of_marks, latest_days
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TODAY, TOMORROW, make_desk, trade

SOON = NOW + timedelta(seconds=5)


def quote(price: str, *, at: datetime = SOON, key: str = "NSE:RELIANCE") -> None:
    write_quotes([QuoteTick(key, Decimal(price), at)])


@pytest.mark.django_db
class TestMarkAccount:
    def test_does_nothing_for_an_account_that_holds_nothing(self) -> None:
        account = make_desk()

        assert mark_account(account, now=NOW) is None
        assert not TradingSession.objects.exists()

    def test_keeps_the_last_mark_of_what_has_no_price(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100")

        mark_account(account, now=SOON)

        assert Position.objects.open().get().last_price == 100

    def test_values_what_is_open_at_the_last_price(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "SELL 10 @ 100")
        quote("97.50")

        mark_account(account, now=SOON)

        position = Position.objects.open().get()
        assert (position.unrealized_pnl, position.marked_at) == (Decimal(25), SOON)

    def test_ignores_a_price_from_before_the_trade(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100")
        quote("80", at=NOW - timedelta(minutes=1))

        mark_account(account, now=SOON)

        assert Position.objects.open().get().unrealized_pnl == 0

    def test_marks_the_row_of_the_day_too(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100")
        quote("101")

        mark_account(account, now=SOON)

        assert Position.objects.get(position_type=PositionType.DAY).unrealized_pnl == 10

    def test_brings_the_session_up_to_date(self) -> None:
        account = make_desk()
        booked = trade(account, make_instrument(), "BUY 10 @ 100")
        quote("104")

        session = mark_account(account, now=SOON)

        assert session is not None
        assert session.total_pnl == 40 - booked.charges.total
        assert session.marked_at == SOON

    def test_begins_the_day_with_the_prices_of_yesterday(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)
        tomorrow = NOW + timedelta(days=1)
        quote("104", at=tomorrow)

        session = mark_account(account, now=tomorrow)

        assert session is not None
        assert (session.session_date, session.opening_unrealized) == (TOMORROW, 0)
        assert session.total_pnl == 40

    def test_leaves_other_accounts_alone(self) -> None:
        account, other, instrument = make_desk(), make_desk("ravi"), make_instrument()
        trade(account, instrument, "BUY 10 @ 100")
        trade(other, instrument, "BUY 10 @ 100")
        quote("104")

        mark_account(account, now=SOON)

        assert Position.objects.open().get(account=other).unrealized_pnl == 0

    def test_takes_as_many_queries_for_many_positions(self, django_assert_max_num_queries) -> None:
        account = make_desk()
        for number in range(8):
            trade(account, make_instrument(f"NSE:SHARE{number}"), "BUY 10 @ 100")
            quote("101", key=f"NSE:SHARE{number}")

        with django_assert_max_num_queries(14):
            mark_account(account, now=SOON)


class TestDayOfMarks:
    pytestmark = pytest.mark.django_db

    def test_is_still_today_after_the_close(self) -> None:
        assert day_of_marks(["NSE"], datetime(2026, 6, 17, 15, 0, tzinfo=UTC)) == TODAY

    def test_is_friday_on_a_sunday(self) -> None:
        sunday = datetime(2026, 6, 21, 6, 0, tzinfo=UTC)

        assert day_of_marks(["NSE"], sunday) == date(2026, 6, 19)

    def test_is_the_latest_of_several_exchanges(self) -> None:
        after_midnight = datetime(2026, 6, 17, 19, 0, tzinfo=UTC)

        assert day_of_marks(["NSE", "SIM"], after_midnight) == TOMORROW

    def test_is_the_day_in_india_where_no_calendar_reaches(self) -> None:
        assert day_of_marks(["MCX"], NOW) == TODAY


@pytest.mark.django_db
class TestLatestDays:
    def test_are_friday_and_today_on_a_sunday(self) -> None:
        days = latest_days(datetime(2026, 6, 21, 6, 0, tzinfo=UTC))

        assert {day.isoformat() for day in days} == {"2026-06-19", "2026-06-21"}

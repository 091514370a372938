from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone

from brokers.gateway import QuoteTick
from brokers.terms import Product
from market.quotes import write_quotes
from portfolio.models import Holding
from portfolio.services import mark_holdings, settle_due_holdings, start_session
from portfolio.tasks import settle_shares
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TODAY, TOMORROW, make_desk, trade
from trading_site.celery import SCHEDULE

pytestmark = pytest.mark.django_db

TOMORROW_MORNING = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


def parts(holding: Holding) -> tuple[int, int, int]:
    holding.refresh_from_db()
    return holding.dp_quantity, holding.t1_quantity, holding.total_quantity


class TestDelivery:
    def test_leaves_intraday_trades_alone(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", product=Product.MIS)

        assert not Holding.objects.exists()

    def test_is_due_tomorrow(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        holding = Holding.objects.get()
        assert parts(holding) == (0, 10, 10)
        assert (holding.t1_bought_on, holding.available_quantity) == (TODAY, 10)

    def test_averages_the_price(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", "BUY 30 @ 104", product=Product.CNC)

        assert Holding.objects.get().average_price == 103

    def test_settles_the_shares_of_yesterday_when_more_are_bought(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", product=Product.CNC)

        trade(account, instrument, "BUY 5 @ 100", product=Product.CNC, session_date=TOMORROW)

        assert parts(Holding.objects.get()) == (10, 5, 15)

    def test_sells_settled_shares_first(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", product=Product.CNC)
        trade(account, instrument, "BUY 5 @ 100", product=Product.CNC, session_date=TOMORROW)

        trade(account, instrument, "SELL 12 @ 100", product=Product.CNC, session_date=TOMORROW)

        assert parts(Holding.objects.get()) == (0, 3, 3)

    def test_keeps_the_average_price_when_selling(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 4 @ 120", product=Product.CNC)

        assert Holding.objects.get().average_price == 100

    def test_leaves_nothing_when_all_is_sold(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 120", product=Product.CNC)

        holding = Holding.objects.get()
        assert parts(holding) == (0, 0, 0)
        assert holding.average_price == 0

    def test_never_falls_below_nothing(self) -> None:
        account, instrument = make_desk(), make_instrument()

        trade(account, instrument, "BUY 10 @ 100", "SELL 12 @ 120", product=Product.CNC)

        assert parts(Holding.objects.get()) == (0, 0, 0)


class TestSettlement:
    def test_waits_for_the_next_trading_day(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        assert settle_due_holdings(NOW) == 0

    def test_comes_with_the_next_session(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        start_session(account, session_date=TOMORROW, now=TOMORROW_MORNING)

        assert parts(Holding.objects.get()) == (10, 0, 10)

    def test_comes_without_any_trading(self) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        settled = settle_due_holdings(TOMORROW_MORNING)

        assert settled == 1
        assert parts(Holding.objects.get()) == (10, 0, 10)

    def test_is_asked_for_by_the_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        trade(make_desk(), make_instrument(), "BUY 10 @ 100", product=Product.CNC)
        monkeypatch.setattr(timezone, "now", lambda: TOMORROW_MORNING)

        settle_shares()

        assert "portfolio.tasks.settle_shares" in SCHEDULE
        assert parts(Holding.objects.get()) == (10, 0, 10)

    def test_leaves_the_shares_of_a_replay_to_its_own_clock(self) -> None:
        account = make_desk(own_clock=True)
        trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        assert settle_due_holdings(TOMORROW_MORNING) == 0

    def test_does_not_come_with_a_session_of_tomorrow_that_is_begun_today(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        start_session(account, session_date=TOMORROW, now=NOW)

        assert parts(Holding.objects.get()) == (0, 10, 10)

    def test_does_not_count_the_weekend(self) -> None:
        friday, sunday = date(2026, 6, 19), datetime(2026, 6, 21, 6, 0, tzinfo=UTC)
        trade(
            make_desk(), make_instrument(), "BUY 10 @ 100", product=Product.CNC, session_date=friday
        )

        assert settle_due_holdings(sunday) == 0


class TestMarkHoldings:
    def test_takes_the_last_price(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)
        write_quotes([QuoteTick("NSE:RELIANCE", Decimal(112), NOW)])

        mark_holdings(account, now=NOW)

        assert Holding.objects.get().pnl == 120

    def test_leaves_what_has_no_price(self) -> None:
        account = make_desk()
        trade(account, make_instrument(), "BUY 10 @ 100", product=Product.CNC)

        assert mark_holdings(account, now=NOW) == 0

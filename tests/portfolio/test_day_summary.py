import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from brokers.gateway import QuoteTick
from brokers.terms import Product
from market.quotes import write_quotes
from portfolio.models import Position
from portfolio.selectors import (
    CurvePoint,
    DayBooks,
    day_summaries,
    day_summary,
    equity_curve,
    made_by_strategy,
    newest_sessions,
)
from portfolio.services import deposit, mark_account
from strategies.models import UserStrategy
from tests.builders import NOW, make_account, make_instrument
from tests.portfolio.fills import TODAY, make_desk, make_running_strategy, trade

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=1)


class TestDaySummary:
    def test_is_empty_without_an_account(self) -> None:
        summary = day_summary([], now=NOW)

        assert (summary.net, summary.as_of, summary.net_percent) == (0, None, None)

    def test_is_empty_before_anything_has_happened(self) -> None:
        summary = day_summary(make_desk(currency="USD"), now=NOW)

        assert (summary.currency, summary.net, summary.capital_at_start) == ("USD", 0, None)

    def test_adds_up(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(10_000), now=NOW)
        trade(account, instrument, "BUY 20 @ 100", "SELL 10 @ 103")
        write_quotes([QuoteTick(instrument.key, Decimal(102), SOON)])
        mark_account(account, now=SOON)

        summary = day_summary(account, now=SOON)

        assert (summary.realized, summary.unrealized) == (30, 20)
        assert summary.net == 50 - summary.charges
        assert summary.net_percent == summary.net / 100
        assert summary.as_of == SOON

    def test_tells_the_day_from_the_whole_of_what_is_open(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", "BUY 10 @ 110", product=Product.CNC)
        tomorrow = NOW + timedelta(days=1)
        write_quotes([QuoteTick(instrument.key, Decimal(112), tomorrow)])
        mark_account(account, now=tomorrow)

        summary = day_summary(account, now=tomorrow)

        assert (summary.unrealized, summary.open_profit) == (40, 140)

    def test_adds_accounts(self) -> None:
        account, instrument = make_desk(), make_instrument()
        second = make_account(account.workspace, "Second")
        for each in (account, second):
            trade(each, instrument, "BUY 10 @ 100", "SELL 10 @ 103")

        assert day_summary([account, second], now=NOW).realized == 60

    def test_never_adds_currencies(self) -> None:
        account, instrument = make_desk(), make_instrument()
        dollars = make_account(account.workspace, "Dollars", currency="USD")
        for each in (account, dollars):
            trade(each, instrument, "BUY 10 @ 100", "SELL 10 @ 103")

        summaries = day_summaries([account, dollars], now=NOW)

        assert [(each.currency, each.realized) for each in summaries] == [("INR", 30), ("USD", 30)]

    def test_leaves_yesterday_out_once_today_has_begun(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 103")

        summary = day_summary(account, now=NOW + timedelta(days=1))

        assert summary.net == 0

    def test_still_shows_friday_on_a_saturday(self) -> None:
        account, instrument = make_desk(), make_instrument()
        trade(
            account,
            instrument,
            "BUY 10 @ 100",
            "SELL 10 @ 103",
            session_date=datetime(2026, 6, 19, tzinfo=UTC).date(),
        )

        summary = day_summary(account, now=datetime(2026, 6, 20, 6, 0, tzinfo=UTC))

        assert summary.realized == 30

    @pytest.mark.parametrize("is_read", [True, False])
    def test_of_a_replay_is_its_last_day_whenever_that_was(self, is_read: bool) -> None:
        account, instrument = make_desk(own_clock=True), make_instrument()
        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 103")
        later = NOW + timedelta(days=400)
        books = DayBooks(newest_sessions(account.workspace, now=later), {}) if is_read else None

        summary = day_summary(account, now=later, books=books)

        assert (summary.realized, summary.day) == (30, TODAY)
        assert equity_curve(account, now=later)

    def test_takes_one_query(self, django_assert_num_queries) -> None:
        account, instrument = make_desk(), make_instrument()
        second = make_account(account.workspace, "Second")
        for each in (account, second):
            trade(each, instrument, "BUY 10 @ 100")
        day_summary([account, second], now=NOW)

        with django_assert_num_queries(1):
            day_summary([account, second], now=NOW)


class TestEquityCurve:
    def test_is_empty_before_the_first_trade(self) -> None:
        assert equity_curve(make_desk(), now=NOW) == []

    def test_carries_an_account_forward_where_it_has_no_point(self) -> None:
        account, instrument = make_desk(), make_instrument()
        second = make_account(account.workspace, "Second")
        first = trade(account, instrument, "BUY 10 @ 100")
        other = trade(second, instrument, "BUY 20 @ 100")
        write_quotes([QuoteTick(instrument.key, Decimal(105), SOON)])
        mark_account(account, now=SOON)
        charges = first.charges.total + other.charges.total

        curve = equity_curve([account, second], now=SOON)

        assert curve == [CurvePoint(NOW, -charges), CurvePoint(SOON, 50 - charges)]


class TestMadeByStrategy:
    def test_is_nothing_for_one_that_never_traded(self) -> None:
        assert _made_by(make_running_strategy(make_desk())) == 0

    def test_adds_all_its_positions_after_charges_and_no_other(self) -> None:
        account, instrument = make_desk(), make_instrument()
        strategy = make_running_strategy(account)
        trade(account, instrument, "BUY 10 @ 100", "SELL 10 @ 90")
        trade(
            account,
            instrument,
            "BUY 10 @ 100",
            "SELL 10 @ 103",
            "BUY 5 @ 100",
            "BUY 5 @ 104",
            user_strategy_id=strategy,
        )

        charges = Position.objects.net().filter(user_strategy=strategy).aggregate(Sum("charges"))
        assert _made_by(strategy) == 30 + 20 - charges["charges__sum"]


def _made_by(strategy: uuid.UUID) -> Decimal:
    rows = UserStrategy.objects.filter(pk=strategy).annotate(made=made_by_strategy())
    made: Decimal = rows.values_list("made", flat=True).get()
    return made

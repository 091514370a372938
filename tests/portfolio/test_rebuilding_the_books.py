from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from brokers.models import TradingAccount
from brokers.terms import Product
from orders.booked_fills import booked_fills
from orders.models import Trade
from portfolio.models import LedgerEntry, NettedPosition, Position, TradingSession
from portfolio.proving import differences
from portfolio.rebuilding import rebuild
from portfolio.services import deposit
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import (
    TODAY,
    TOMORROW,
    make_desk,
    make_fill,
    make_running_strategy,
    record,
)
from tests.portfolio.tampering import unguarded_ledger

trades = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(min_value=1, max_value=100),
        st.integers(min_value=100, max_value=100_000).map(lambda paise: Decimal(paise) / 100),
        st.sampled_from([Product.MIS, Product.CNC]),
        st.booleans(),
        st.sampled_from([TODAY, TOMORROW]),
    ),
    min_size=1,
    max_size=7,
)


def make_traded_desk() -> TradingAccount:
    account, instrument = make_desk(), make_instrument()
    deposit(account, amount=Decimal(100_000), now=NOW)
    for minute, traded in enumerate(["BUY 10 @ 100", "SELL 15 @ 103", "BUY 2 @ 101"]):
        record(make_fill(account, instrument, traded, at=NOW + timedelta(minutes=minute)))
    return account


def found(account: TradingAccount) -> list[str]:
    return [str(each) for each in differences(account, rebuild(booked_fills(account)))]


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("rebuild_books", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
class TestDifferences:
    def test_are_none_where_the_books_are_right(self) -> None:
        assert found(make_traded_desk()) == []

    @pytest.mark.parametrize(
        "figure", ["realized_pnl", "open_cost", "buy_value", "sell_value", "charges"]
    )
    def test_name_a_figure_of_a_position(self, figure: str) -> None:
        account = make_traded_desk()

        Position.objects.open().update(**{figure: F(figure) + Decimal("0.01")})

        [difference] = found(account)
        assert difference.startswith("NSE:RELIANCE MIS")

    def test_name_a_figure_of_a_session(self) -> None:
        account = make_traded_desk()

        TradingSession.objects.update(realized_pnl=F("realized_pnl") - Decimal("0.01"))

        [difference] = found(account)
        assert difference.startswith("Session of 2026-06-17: realised")

    def test_name_a_position_that_no_trade_made(self) -> None:
        account = make_traded_desk()

        Position.objects.open().update(product=Product.NRML)

        assert any("the trades make it none" in each for each in found(account))

    def test_name_money_that_no_trade_moved(self) -> None:
        account = make_traded_desk()

        line = LedgerEntry.objects.filter(ledger="CASH").latest("id")
        line.running_balance += 1
        line.save()

        [difference] = found(account)
        assert difference.startswith("Ledger: CASH")

    def test_name_what_the_broker_would_net_otherwise(self) -> None:
        account = make_traded_desk()

        NettedPosition.objects.update(quantity=F("quantity") - 1)

        assert any("netted: quantity is -4" in each for each in found(account))


@pytest.mark.django_db
class TestRebuildBooks:
    def test_refuses_an_account_that_does_not_exist(self) -> None:
        with pytest.raises(CommandError, match="no account called Nobody"):
            run("--account", "Nobody")

    def test_says_that_the_books_are_right(self) -> None:
        make_traded_desk()

        assert "what the trades make them" in run("--check")

    def test_fails_on_a_difference(self) -> None:
        make_traded_desk()
        Position.objects.open().update(realized_pnl=1)

        with pytest.raises(CommandError, match="1 differences") as failure:
            run()

        assert failure.value.returncode == 1

    def test_only_looks_at_the_account_it_is_told(self) -> None:
        account = make_traded_desk()
        Position.objects.open().update(realized_pnl=1)
        other = make_desk("ravi")

        assert "what the trades make them" in run("--account", str(other.pk))
        assert found(account)

    def test_names_a_trade_that_was_never_booked(self) -> None:
        account = make_traded_desk()
        trade = Trade.objects.filter(account=account).latest("created_at")
        LedgerEntry.objects.filter(voucher_number=str(trade.pk)).delete()
        output = StringIO()

        with pytest.raises(CommandError):
            call_command("rebuild_books", stdout=output)

        assert f"Trade {trade.pk} is not booked" in output.getvalue()

    def test_names_a_voucher_that_does_not_balance(self) -> None:
        account = make_traded_desk()
        with unguarded_ledger():
            lines = LedgerEntry.objects.filter(account=account, ledger="CAPITAL")
            lines.update(credit=F("credit") + 1, running_balance=F("running_balance") - 1)
        output = StringIO()

        with pytest.raises(CommandError):
            call_command("rebuild_books", stdout=output)

        number = lines.get().voucher_number
        assert f"Voucher {number}: Debits and credits differ by -1" in output.getvalue()

    def test_sets_positions_and_sessions_right(self) -> None:
        account = make_traded_desk()
        before = list(Position.objects.order_by("pk").values_list("realized_pnl", "open_cost"))
        Position.objects.update(realized_pnl=F("realized_pnl") + 5)
        NettedPosition.objects.update(quantity=9)
        TradingSession.objects.update(charges=0)

        run("--write")

        after = list(Position.objects.order_by("pk").values_list("realized_pnl", "open_cost"))
        assert after == before
        assert found(account) == []

    def test_never_rewrites_the_ledger(self) -> None:
        make_traded_desk()
        LedgerEntry.objects.filter(ledger="TRADING").update(running_balance=0)

        with pytest.raises(CommandError):
            run("--write")

        assert not LedgerEntry.objects.filter(ledger="TRADING").exclude(running_balance=0).exists()


class TestAnyTrading(TestCase):
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(trades)
    def test_is_rebuilt_to_the_same_books(self, traded: list[tuple]) -> None:  # type: ignore[type-arg]
        account, instrument = make_desk(), make_instrument()
        strategies = [None, make_running_strategy(account)]
        for minute, (side, quantity, price, product, is_strategy, day) in enumerate(traded):
            fill = make_fill(
                account,
                instrument,
                f"{side} {quantity} @ {price}",
                at=NOW + timedelta(minutes=minute),
                product=product,
                user_strategy_id=strategies[is_strategy],
                session_date=day,
            )
            record(fill)

        assert found(account) == []
        assert rebuild(booked_fills(account)) == rebuild(booked_fills(account))

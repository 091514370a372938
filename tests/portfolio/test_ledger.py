from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from brokers.models import TradingAccount
from brokers.terms import Product
from portfolio.models import LedgerEntry, LedgerName
from portfolio.posting import (
    Voucher,
    VoucherUnbalanced,
    cash_balance,
    ledger_balances,
    ledger_faults,
    post,
)
from portfolio.services import AmountInvalid, deposit, withdraw
from tests.builders import NOW, make_instrument
from tests.portfolio.fills import TODAY, make_desk, trade
from tests.portfolio.tampering import unguarded_ledger

fills = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(min_value=1, max_value=200),
        st.integers(min_value=100, max_value=200_000).map(lambda paise: Decimal(paise) / 100),
        st.sampled_from([Product.MIS, Product.CNC]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.django_db
class TestPost:
    def test_refuses_a_voucher_that_does_not_balance(self) -> None:
        voucher = Voucher(
            "1",
            date(2026, 6, 17),
            "Wrong",
            {LedgerName.CASH: Decimal(10), LedgerName.CAPITAL: Decimal(-9)},
        )

        with pytest.raises(VoucherUnbalanced, match="Voucher 1"):
            post(make_desk(), voucher, now=NOW)

        assert not LedgerEntry.objects.exists()

    def test_refuses_a_number_that_was_used(self) -> None:
        account = make_desk()
        voucher = Voucher("1", date(2026, 6, 17), "Nothing", {LedgerName.CASH: Decimal(0)})
        post(account, voucher, now=NOW)

        with pytest.raises(IntegrityError):
            post(account, voucher, now=NOW)

    def test_carries_each_balance_forward(self) -> None:
        account = make_desk()

        for amount in ("100", "250.50"):
            deposit(account, amount=Decimal(amount), now=NOW)

        assert ledger_balances(account) == {
            LedgerName.CASH: Decimal("350.50"),
            LedgerName.CAPITAL: Decimal("-350.50"),
        }

    def test_keeps_accounts_apart(self) -> None:
        account, other = make_desk(), make_desk("ravi")

        deposit(account, amount=Decimal(100), now=NOW)

        assert cash_balance(other) == 0


@pytest.mark.django_db
class TestLedgerFaults:
    def test_are_none_after_trading(self) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(10_000), now=NOW)

        trade(account, instrument, "BUY 10 @ 100", "SELL 15 @ 101.35", "BUY 5 @ 99.95")

        assert ledger_faults(account) == []

    def test_name_a_voucher_that_does_not_balance(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)

        with unguarded_ledger():
            LedgerEntry.objects.filter(ledger=LedgerName.CASH).update(debit=F("debit") + 1)

        assert any("differ by 1" in each.fault for each in ledger_faults(account))

    def test_name_a_balance_that_does_not_follow(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)

        LedgerEntry.objects.filter(ledger=LedgerName.CASH).update(running_balance=90)

        [fault] = ledger_faults(account)
        assert fault.fault == "CASH says 90.0000, it is 100.0000"


@pytest.mark.django_db(transaction=True)
class TestTheDatabase:
    """What the code cannot be talked into, the database refuses as well: at the commit."""

    def lines(self, account: TradingAccount) -> QuerySet[LedgerEntry]:
        return LedgerEntry.objects.filter(account=account)

    def test_refuses_a_lone_line(self) -> None:
        account = make_desk()
        with pytest.raises(IntegrityError):
            LedgerEntry.objects.create(
                workspace=account.workspace,
                account=account,
                ledger=LedgerName.CASH,
                entry_date=TODAY,
                voucher_number="1",
                particulars="From nowhere",
                debit=Decimal("0.0001"),
                running_balance=Decimal("0.0001"),
                created_at=NOW,
            )
        assert not self.lines(account).exists()

    def test_refuses_to_change_one_side_of_a_voucher(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)
        with pytest.raises(IntegrityError):
            self.lines(account).filter(ledger=LedgerName.CASH).update(debit=99)
        assert self.lines(account).get(ledger=LedgerName.CASH).debit == 100

    def test_refuses_to_move_a_line_to_another_voucher(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)
        with pytest.raises(IntegrityError):
            self.lines(account).filter(ledger=LedgerName.CASH).update(voucher_number="1")

    def test_refuses_to_lose_a_line(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)
        with pytest.raises(IntegrityError):
            self.lines(account).filter(ledger=LedgerName.CAPITAL).delete()
        assert self.lines(account).count() == 2

    def test_lets_a_voucher_be_written_line_by_line(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal("0.1"), now=NOW)
        with transaction.atomic():
            for line in self.lines(account):
                line.debit, line.credit = line.debit * 3, line.credit * 3
                line.save()
        assert {line.debit + line.credit for line in self.lines(account)} == {Decimal("0.3")}

    def test_goes_on_after_a_refusal(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)
        with pytest.raises(IntegrityError):
            self.lines(account).update(debit=0)

        deposit(account, amount=Decimal(50), now=NOW)

        assert cash_balance(account) == 150

    def test_can_be_migrated_back_and_forth(self) -> None:
        # Forth with everything: what stands on the books went back with them.
        for target in (["portfolio", "0001_initial"], []):
            call_command("migrate", *target, verbosity=0)
        self.test_refuses_to_change_one_side_of_a_voucher()


@pytest.mark.django_db
class TestDeposit:
    @pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity"])
    def test_refuses_what_is_not_money(self, amount: str) -> None:
        with pytest.raises(AmountInvalid):
            deposit(make_desk(), amount=Decimal(amount), now=NOW)

    def test_returns_the_cash_there_is_then(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)

        assert deposit(account, amount=Decimal(50), now=NOW) == 150


@pytest.mark.django_db
class TestWithdraw:
    def test_refuses_more_than_there_is(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)

        with pytest.raises(AmountInvalid, match=r"Only 100\.00 INR"):
            withdraw(account, amount=Decimal("100.01"), now=NOW)

    def test_takes_all_of_it(self) -> None:
        account = make_desk()
        deposit(account, amount=Decimal(100), now=NOW)

        assert withdraw(account, amount=Decimal(100), now=NOW) == 0


class TestAnyTrading(PropertyTestCase):
    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(fills)
    def test_leaves_the_books_balanced(
        self, traded: list[tuple[str, int, Decimal, Product]]
    ) -> None:
        account, instrument = make_desk(), make_instrument()
        deposit(account, amount=Decimal(1_000_000), now=NOW)
        expected = Decimal(1_000_000)

        for side, quantity, price, product in traded:
            booked = trade(account, instrument, f"{side} {quantity} @ {price}", product=product)
            expected += booked.net_amount

        assert cash_balance(account) == expected
        assert sum(ledger_balances(account).values()) == 0
        assert ledger_faults(account) == []

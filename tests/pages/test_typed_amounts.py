"""Every field for an amount reads one writing, and refuses the rest in words."""

import pytest

from brokers.models import TradingAccount
from risk.models import RiskRule
from strategies.models import UserStrategy
from tests.orders.desk import Desk
from tests.pages.desks import client_of

NOT_DIGITS = ["1_0", "1e5", "१०००", "10,00,0", "1.2.3", "0x10"]
WORDS = b"Write it in digits"


@pytest.mark.parametrize("typed", NOT_DIGITS)
class TestAmountRefuses:
    def test_for_a_limit(self, desk: Desk, typed: str) -> None:
        sent = {"rule_type": "MAX_DAILY_LOSS", "rule_value": typed}
        assert WORDS in client_of(desk).post("/risk/rules/add/", sent).content
        assert not RiskRule.objects.exists()

    def test_for_money_to_begin_with(self, desk: Desk, typed: str) -> None:
        sent = {"name": "Second", "cash": typed}
        assert WORDS in client_of(desk).post("/positions/practice/open/", sent).content
        assert TradingAccount.objects.count() == 1

    def test_for_money_to_move(self, desk: Desk, typed: str) -> None:
        address = f"/positions/practice/{desk.account.pk}/money/"
        assert WORDS in client_of(desk).post(address, {"amount": typed}).content

    @pytest.mark.parametrize("field", ["allocation", "parameter_entry_bars"])
    def test_for_a_strategy(self, desk: Desk, typed: str, field: str) -> None:
        sent = {"account": str(desk.account.pk), "allocation": "50,000", "understood": "on"}
        sent |= {"instruments": desk.instrument.key, "interval": "5m", "product": "MIS"}
        address = "/strategies/price_breakout/activate/"
        assert WORDS in client_of(desk).post(address, {**sent, field: typed}).content
        assert not UserStrategy.objects.exists()


class TestAmount:
    @pytest.mark.parametrize("typed", ["2,50,000", "₹2,50,000", "250000.00", " 250000 "])
    def test_is_read_as_people_write_it(self, desk: Desk, typed: str) -> None:
        sent = {"rule_type": "MAX_DAILY_LOSS", "rule_value": typed}
        client_of(desk).post("/risk/rules/add/", sent)
        assert RiskRule.objects.get().rule_value == 250000

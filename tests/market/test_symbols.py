from datetime import date
from decimal import Decimal

import pytest

from brokers.terms import InstrumentType
from market.importing.symbols import contract_symbol, index_key


class TestContractSymbol:
    @pytest.mark.parametrize(
        ("expiry", "strike", "symbol"),
        [
            (date(2024, 4, 24), "48000", "BANKNIFTY24APR2448000CE"),
            (date(2024, 4, 30), "48000.00", "BANKNIFTY30APR2448000CE"),
            (date(2026, 12, 1), "7.50", "BANKNIFTY01DEC267.5CE"),
            (date(2026, 8, 25), "100", "BANKNIFTY25AUG26100CE"),
        ],
    )
    def test_of_an_option_says_its_day_and_strike(
        self, expiry: date, strike: str, symbol: str
    ) -> None:
        option = contract_symbol(
            "BANKNIFTY", expiry, kind=InstrumentType.CE, strike=Decimal(strike)
        )
        assert option == symbol

    def test_of_a_future_says_its_day(self) -> None:
        future = contract_symbol("M&M", date(2026, 8, 25), kind=InstrumentType.FUT)
        assert future == "M&M25AUG26FUT"


class TestIndexKey:
    @pytest.mark.parametrize("word", ["NIFTY", "Nifty 50", "nifty  50", "NIFTY50"])
    def test_is_one_for_every_word(self, word: str) -> None:
        assert index_key("NSE", word) == "NSE:NIFTY 50"

from datetime import date
from decimal import Decimal

import pytest

from brokers.terms import InstrumentType
from market.importing.symbols import future_symbol, index_key, is_monthly, option_symbol


class TestOptionSymbol:
    @pytest.mark.parametrize(
        ("expiry", "strike", "symbol"),
        [
            (date(2026, 8, 25), "24350", "NIFTY26AUG24350CE"),
            (date(2026, 8, 18), "24350.00", "NIFTY2681824350CE"),
            (date(2026, 10, 6), "24350", "NIFTY26O0624350CE"),
            (date(2026, 12, 1), "7.50", "NIFTY26D017.5CE"),
        ],
    )
    def test_writes_week_and_month_as_the_exchange(
        self, expiry: date, strike: str, symbol: str
    ) -> None:
        assert symbol == option_symbol(
            "NFO", "NIFTY", expiry=expiry, strike=Decimal(strike), kind=InstrumentType.CE
        )

    def test_keeps_zeros_of_a_round_strike(self) -> None:
        assert option_symbol(
            "NFO", "X", expiry=date(2026, 8, 25), strike=Decimal(100), kind=InstrumentType.PE
        ).endswith("AUG100PE")


class TestMonthlyExpiry:
    @pytest.mark.parametrize(
        ("exchange", "expiry", "monthly"),
        [
            ("NFO", date(2026, 11, 24), True),
            ("NFO", date(2026, 11, 23), True),  # brought forward from Tuesday the 24th
            ("NFO", date(2026, 11, 17), False),
            ("NFO", date(2026, 11, 16), False),
            ("NFO", date(2025, 8, 28), True),  # a Thursday, before the change
            ("NFO", date(2025, 8, 21), False),
            ("BFO", date(2026, 8, 27), True),
            ("BFO", date(2025, 8, 26), True),
        ],
    )
    def test_is_the_last_of_its_month(self, exchange: str, expiry: date, monthly: bool) -> None:
        assert is_monthly(exchange, expiry) is monthly


class TestOtherNames:
    def test_a_future_is_named_by_its_month(self) -> None:
        assert future_symbol("M&M", date(2026, 8, 25)) == "M&M26AUGFUT"

    @pytest.mark.parametrize("word", ["NIFTY", "Nifty 50", "nifty  50", "NIFTY50"])
    def test_an_index_has_one_key(self, word: str) -> None:
        assert index_key("NSE", word) == "NSE:NIFTY 50"

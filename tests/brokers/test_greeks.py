"""Greeks as brokers tell them: zero is a figure, and a word for none."""

from decimal import Decimal

import pytest

from brokers.greeks import greeks_of

NONE = dict.fromkeys(("delta", "gamma", "theta", "vega"), "0.000000")


class TestGreeks:
    @pytest.mark.parametrize("iv", [None, Decimal(0)])
    def test_all_zero_without_a_volatility_are_not_told(self, iv: Decimal | None) -> None:
        assert greeks_of(NONE, iv=iv) == {}

    def test_of_zero_beside_a_volatility_are_told(self) -> None:
        assert greeks_of(NONE, iv=Decimal(14))["delta"] == 0

    def test_that_are_left_out_are_absent(self) -> None:
        told = greeks_of({"delta": "0.5", "gamma": None, "theta": "--"}, iv=Decimal(14))
        assert told == {"delta": Decimal("0.5")}

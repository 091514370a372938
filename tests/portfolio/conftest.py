import pytest

from portfolio.rates import forget_rates


@pytest.fixture(autouse=True)
def _no_rates_of_another_test() -> None:
    forget_rates()

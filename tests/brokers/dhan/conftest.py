from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from brokers.directory import install_directory, installed_directory
from tests.brokers.dhan.house import DhanMarket, SimulatedDhan, make_market, new_dhan


@pytest.fixture(scope="module")
def served() -> Iterator[SimulatedDhan]:
    dhan = new_dhan()
    with dhan.server:
        yield dhan


@pytest.fixture
def dhan(served: SimulatedDhan, settings: Settings) -> Iterator[SimulatedDhan]:
    """The simulated Dhan of this module, as new, with the house's calls going to it."""
    served.forget()
    settings.BROKER_ENDPOINTS = {"dhan": served.server.url}
    before = installed_directory()
    install_directory(served.numbers)
    yield served
    install_directory(before)


@pytest.fixture
def market(db: None, dhan: SimulatedDhan) -> DhanMarket:
    return make_market(dhan)

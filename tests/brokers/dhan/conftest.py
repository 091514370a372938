from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.brokers.dhan.market import DhanMarket, DhanStand


@pytest.fixture(scope="module")
def served() -> Iterator[DhanStand]:
    with DhanStand() as stand:
        yield stand


@pytest.fixture
def dhan(served: DhanStand, settings: Settings) -> Iterator[DhanStand]:
    """The simulated Dhan, as if just started, in the place of the real one."""
    with served.in_place(settings):
        yield served


@pytest.fixture
def market(db: None, dhan: DhanStand) -> DhanMarket:
    """An account that is logged in at the simulated Dhan."""
    return DhanMarket.connected(dhan)

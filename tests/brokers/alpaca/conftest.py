from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.brokers.alpaca.market import AlpacaMarket, AlpacaStand


@pytest.fixture(scope="module")
def served() -> Iterator[AlpacaStand]:
    with AlpacaStand() as stand:
        yield stand


@pytest.fixture
def stand(served: AlpacaStand, settings: Settings) -> Iterator[AlpacaStand]:
    """The simulated Alpaca, as if just started, in the place of the real one."""
    with served.in_place(settings):
        yield served


@pytest.fixture
def alpaca(db: None, stand: AlpacaStand) -> AlpacaMarket:
    """An account that is connected to the simulated Alpaca."""
    return AlpacaMarket.connected(stand)

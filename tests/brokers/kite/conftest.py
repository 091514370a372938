from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.brokers.kite.market import KiteMarket, KiteStand


@pytest.fixture(scope="module")
def served() -> Iterator[KiteStand]:
    with KiteStand() as stand:
        yield stand


@pytest.fixture
def stand(served: KiteStand, settings: Settings) -> Iterator[KiteStand]:
    """The simulated Kite, as if just started, in the place of the real one."""
    with served.in_place(settings):
        yield served


@pytest.fixture
def kite(db: None, stand: KiteStand) -> KiteMarket:
    """An account that is logged in at the simulated Kite."""
    return KiteMarket.connected(stand)

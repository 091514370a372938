from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.brokers.angel.market import AngelMarket, AngelStand


@pytest.fixture(scope="module")
def served() -> Iterator[AngelStand]:
    with AngelStand() as stand:
        yield stand


@pytest.fixture
def angel(served: AngelStand, settings: Settings) -> Iterator[AngelStand]:
    """The simulated Angel One, as if just started, in the place of the real one."""
    with served.in_place(settings):
        yield served


@pytest.fixture
def market(db: None, angel: AngelStand) -> AngelMarket:
    """An account that is logged in at the simulated Angel One."""
    return AngelMarket.connected(angel)

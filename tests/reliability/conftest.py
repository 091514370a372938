from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from tests.reliability.stands import STANDS
from tests.reliability.table import Outcomes, is_rewriting, rewrite, written
from tests.reliability.worlds import Served, World, connect


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Served]]:
    """Each broker's simulator, started when first asked for."""
    running: dict[str, Served] = {}

    def served(name: str) -> Served:
        if name not in running:
            running[name] = Served(STANDS[name])
            running[name].server.start()
        return running[name]

    yield served
    for each in running.values():
        each.server.stop()


@pytest.fixture(params=sorted(STANDS))
def world(
    request: pytest.FixtureRequest,
    servers: Callable[[str], Served],
    settings: Settings,
    transactional_db: None,
) -> World:
    """A desk connected to one broker; a test runs once for each broker."""
    served = servers(request.param)
    served.renew()
    settings.BROKER_ENDPOINTS = {request.param: served.server.url}
    settings.LIVE_TRADING = True
    settings.BROKER_TIMEOUT = 1.0
    return connect(served)


@pytest.fixture
def tell(world: World, seen: Outcomes) -> Callable[[str, str], None]:
    """Note what the trader saw of a fault, and hold it against what the page says."""

    def note(fault: str, outcome: str) -> None:
        name = (fault, world.stand.name)
        seen[name] = outcome
        if not is_rewriting():
            assert written().get(name) == outcome

    return note


@pytest.fixture(scope="session")
def seen() -> Iterator[Outcomes]:
    outcomes: Outcomes = {}
    yield outcomes
    if is_rewriting():
        rewrite(outcomes)

from collections.abc import Iterator

import pytest

from brokers.directory import install_directory, installed_directory
from brokers.sessions import open_session
from tests.brokers.angel.market import (
    AngelMarket,
    AngelSimulator,
    SimulatedNumbers,
    make_angel_account,
)


@pytest.fixture(scope="module")
def simulator() -> Iterator[AngelSimulator]:
    simulator = AngelSimulator()
    with simulator.server:
        yield simulator


@pytest.fixture
def angel(simulator: AngelSimulator, settings: object) -> Iterator[AngelSimulator]:
    """The simulator as new, and the house pointed at it."""
    simulator.renew()
    settings.BROKER_ENDPOINTS = {"angel": simulator.server.url}  # type: ignore[attr-defined]
    before = installed_directory()
    install_directory(SimulatedNumbers(simulator.instruments))
    yield simulator
    install_directory(before)


@pytest.fixture
def market(db: None, angel: AngelSimulator) -> AngelMarket:
    """An account that has logged in."""
    account = make_angel_account()
    open_session(account.connection, answer={}, now=angel.clock())
    return AngelMarket(angel, account)

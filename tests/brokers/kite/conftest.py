from collections.abc import Iterator

import pytest
from pytest_django import Settings

from brokers.adapters.kite.gateway import KiteGateway
from brokers.directory import install_directory, installed_directory
from tests.brokers.kite.market import (
    KiteMarket,
    KiteStand,
    KnownNumbers,
    log_in,
    make_kite_account,
    share_ref,
)


@pytest.fixture(scope="module")
def served() -> Iterator[KiteStand]:
    stand = KiteStand()
    with stand.server:
        yield stand


@pytest.fixture
def stand(served: KiteStand, settings: Settings) -> KiteStand:
    """The simulated Kite, as if just started, in the place of the real one."""
    served.reset()
    settings.BROKER_ENDPOINTS = {"kite": served.server.url}
    return served


@pytest.fixture
def numbers() -> Iterator[KnownNumbers]:
    before = installed_directory()
    known = KnownNumbers()
    install_directory(known)
    yield known
    install_directory(before)


@pytest.fixture
def kite(db: None, stand: KiteStand, numbers: KnownNumbers) -> KiteMarket:
    """An account that is logged in at the simulated Kite."""
    account = make_kite_account()
    log_in(stand, account)
    return KiteMarket(stand, account, KiteGateway(account, stand.clock), share_ref())

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from brokers.adapters.alpaca.gateway import AlpacaGateway
from brokers.directory import install_directory, installed_directory
from tests.brokers.alpaca.market import (
    AlpacaMarket,
    AlpacaStand,
    KnownSymbols,
    connect,
    make_alpaca_account,
    share_ref,
)


@pytest.fixture(scope="module")
def served() -> Iterator[AlpacaStand]:
    stand = AlpacaStand()
    with stand.server:
        yield stand


@pytest.fixture
def stand(served: AlpacaStand, settings: Settings) -> AlpacaStand:
    """The simulated Alpaca, as if just started, in the place of the real one."""
    served.reset()
    settings.BROKER_ENDPOINTS = {"alpaca": served.server.url}
    return served


@pytest.fixture
def symbols() -> Iterator[KnownSymbols]:
    before = installed_directory()
    known = KnownSymbols()
    install_directory(known)
    yield known
    install_directory(before)


@pytest.fixture
def alpaca(db: None, stand: AlpacaStand, symbols: KnownSymbols) -> AlpacaMarket:
    """An account that is connected to the simulated Alpaca."""
    account = make_alpaca_account()
    connect(stand, account)
    return AlpacaMarket(stand, account, AlpacaGateway(account, stand.clock), share_ref())

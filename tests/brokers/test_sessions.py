"""What an answer to an old login does to a newer one: nothing, at any broker."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django.fixtures import Settings

from brokers.adapters.angel.gateway import AngelGateway
from brokers.adapters.dhan.gateway import DhanGateway
from brokers.adapters.kite.gateway import KiteGateway
from brokers.gateway import Gateway, Refused
from brokers.models import ConnectionStatus
from brokers.sessions import current_session
from tests.brokers.angel.market import AngelStand
from tests.brokers.contract import buy
from tests.brokers.dhan.market import DhanStand
from tests.brokers.kite.market import KiteStand
from tests.brokers.stands import BrokerStand

GATEWAYS: dict[type[BrokerStand], Callable[..., Gateway]] = {
    AngelStand: AngelGateway,
    DhanStand: DhanGateway,
    KiteStand: KiteGateway,
}


@pytest.fixture(params=GATEWAYS, ids=lambda made: made.broker_type)
def stand(request: pytest.FixtureRequest, settings: Settings) -> Iterator[BrokerStand]:
    with request.param() as stand, stand.in_place(settings):
        yield stand


class TestARefusedSession:
    def test_leaves_a_login_made_meanwhile_alone(self, db: None, stand: BrokerStand) -> None:
        account = stand.connected()
        old = current_session(account.connection, now=stand.clock())

        def admit(method: str, path: str) -> None:
            stand.app.state.dialect.expire_tokens(None)
            stand.log_in(account)

        gateway = GATEWAYS[type(stand)](account, stand.clock, admit=admit)
        assert isinstance(gateway.place(buy(stand.ref(stand.share))), Refused)
        assert current_session(account.connection, now=stand.clock()).name != old.name
        account.connection.refresh_from_db()
        assert account.connection.status == ConnectionStatus.CONNECTED

    def test_shows_no_secret(self, db: None, stand: BrokerStand) -> None:
        session = current_session(stand.connected().connection, now=stand.clock())
        assert not [secret for secret in session.secrets.values() if secret in repr(session)]

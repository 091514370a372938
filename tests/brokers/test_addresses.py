"""The address that is registered: nobody's late word about something else undoes it."""

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from pytest_django import Settings

from brokers.addresses import (
    AddressDiffers,
    check_known_address,
    configure_address,
    look_at_address,
    note_unseen,
)
from brokers.models import AuthToken, BrokerConnection
from brokers.sessions import expire_session
from tests.brokers.connecting import connect_angel
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db
REGISTERED = "203.0.113.44"


@pytest.fixture
def old() -> BrokerConnection:
    """A connection as a gateway loaded it, before somebody wrote an address down."""
    old = connect_angel(make_workspace(make_user()))
    AuthToken.objects.create(connection=old)
    newer = BrokerConnection.objects.get(pk=old.pk)
    configure_address(newer, static_ip=REGISTERED, egress="127.0.0.1", now=NOW)
    return old


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def _outside(settings: Settings) -> Iterator[None]:
    """A service that sees the registered address."""

    def app(_environ: object, start: object) -> list[bytes]:
        start("200 OK", [])  # type: ignore[operator]
        return [REGISTERED.encode()]

    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.ADDRESS_CHECK_URL = f"http://127.0.0.1:{server.server_port}/"
        yield
        server.shutdown()


class TestARegisteredAddress:
    def test_outlives_the_end_of_a_session(self, old: BrokerConnection) -> None:
        expire_session(old, words="Token Expired", now=NOW)
        known = BrokerConnection.objects.get(pk=old.pk).connection_metadata
        assert (known["static_ip"], known["egress"]) == (REGISTERED, "127.0.0.1")
        assert known["session_words"] == "Token Expired"

    def test_outlives_a_look_that_failed(self, old: BrokerConnection) -> None:
        note_unseen(old, words="Nobody answered", now=NOW)
        assert old.connection_metadata["static_ip"] == REGISTERED

    @pytest.mark.usefixtures("_outside")
    def test_is_not_seen_by_a_look_that_left_another_way(self, old: BrokerConnection) -> None:
        assert look_at_address(old, now=NOW) == REGISTERED
        with pytest.raises(AddressDiffers, match="it is not known"):
            check_known_address(BrokerConnection.objects.get(pk=old.pk), now=NOW)

    @pytest.mark.usefixtures("_outside")
    def test_is_seen_by_a_look_that_left_the_same_way(self, old: BrokerConnection) -> None:
        old.refresh_from_db()
        look_at_address(old, now=NOW)
        check_known_address(BrokerConnection.objects.get(pk=old.pk), now=NOW)

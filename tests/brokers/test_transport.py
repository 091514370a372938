"""How calls leave: by connections shared for a moment, and to nobody but the broker."""

from collections.abc import Iterator

import pytest

from brokers import transport
from brokers.transport import Manners, Transport
from tests.brokers.angel.canned import Canned, CannedServer


@pytest.fixture
def server() -> Iterator[CannedServer]:
    with CannedServer({"": Canned("{}")}, keeps_open=True) as canned:
        yield canned


def call(server: CannedServer, manners: Manners | None = None) -> None:
    with Transport(manners) as line:
        line.request("POST", f"{server.url}/order")


class TestAConnection:
    def test_that_has_rested_too_long_is_not_used_again(
        self, server: CannedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call(server)
        monkeypatch.setattr(transport, "KEPT_FOR", 0.0)
        call(server)
        assert len(server.lines) == 2

    def test_is_not_used_by_whom_another_address_was_given(self, server: CannedServer) -> None:
        call(server, Manners(egress="127.0.0.2"))
        call(server, Manners(egress="127.0.0.3"))
        assert {host for host, _ in server.lines} == {"127.0.0.2", "127.0.0.3"}

    def test_serves_the_next_session_at_once(self, server: CannedServer) -> None:
        for _ in range(3):
            call(server)
        assert len(server.lines) == 1

    def test_that_the_other_end_has_closed_is_opened_anew(self, server: CannedServer) -> None:
        call(server)
        server.hang_up()
        call(server)
        assert len(server.lines) == 2


class TestARedirect:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_is_answered_as_it_is_and_not_followed(self, server: CannedServer, method: str) -> None:
        server.answers = {"/order": Canned("", 302, location=f"{server.url}/moved")}
        with Transport() as line:
            assert line.request(method, f"{server.url}/order").status_code == 302
        assert server.asked == [f"{method} /order"]

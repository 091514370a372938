"""Connecting a broker on its pages, and what the page of a connection shows to whom."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import Membership, Role
from brokers.addresses import configure_address
from brokers.models import (
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    LoginStatus,
    StreamConnection,
)
from brokers.sessions import expire_session
from tests.brokers.angel.market import CREDENTIALS, AngelStand
from tests.brokers.connecting import (
    connect_angel,
    connect_kite,
    newest_attempt,
    simulated_angel,
    work_off,
)
from tests.builders import make_instrument, make_user
from tests.orders.desk import Desk
from tests.pages.desks import client_of, client_of_stranger, client_with_role, queries_of

CONNECT = "/brokers/connect/angel/"
TYPED = {f"field_{name}": value for name, value in CREDENTIALS.items()} | {"alias": "Angel"}
SECRETS = (CREDENTIALS["api_key"], CREDENTIALS["totp_secret"])


@pytest.fixture(scope="module")
def simulator() -> Iterator[AngelStand]:
    with simulated_angel() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _pointed_at_it(simulator: AngelStand, settings: Settings) -> None:
    simulator.renew()
    settings.BROKER_ENDPOINTS = {"angel": simulator.server.url}


@pytest.fixture
def angel(desk: Desk) -> BrokerConnection:
    connection = connect_angel(desk.account.workspace)
    work_off(connection)
    return connection


def url(connection: BrokerConnection, part: str = "") -> str:
    return f"/brokers/{connection.pk}/{part}"


class TestConnectPage:
    @pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER])
    @pytest.mark.parametrize("page", [CONNECT, "/brokers/connect/"])
    def test_is_refused_to_who_does_not_manage(self, desk: Desk, role: Role, page: str) -> None:
        assert client_with_role(desk.account.workspace, role).get(page).status_code == 403

    @pytest.mark.parametrize("broker", ["paper", "nobody"])
    def test_is_not_there_for_what_cannot_be_connected(self, desk: Desk, broker: str) -> None:
        assert client_of(desk).get(f"/brokers/connect/{broker}/").status_code == 404

    def test_never_shows_a_secret_again(self, desk: Desk) -> None:
        page = client_of(desk).post(CONNECT, {**TYPED, "alias": ""}).content.decode()
        assert CREDENTIALS["client_code"] in page
        assert not any(secret in page for secret in SECRETS)

    def test_says_what_is_missing(self, desk: Desk) -> None:
        page = client_of(desk).post(CONNECT, {**TYPED, "field_pin": ""})
        assert "field_pin" in page.context["form"].errors
        assert not BrokerConnection.objects.filter(broker_type="angel").exists()

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("123456", "These 6 digits are a code"),
            ("123 456", "These 6 digits are a code"),
            ("not base 32!", "letters A to Z and digits 2 to 7 only"),
            ("JBSWY3DP", "at least 16 characters; these are 8"),
        ],
    )
    @pytest.mark.parametrize("broker", ["angel", "dhan"])
    def test_takes_no_code_for_a_totp_secret(
        self, desk: Desk, broker: str, typed: str, words: str
    ) -> None:
        sent = {**TYPED, "field_client_id": "1100", "field_totp_secret": typed}
        page = client_of(desk).post(f"/brokers/connect/{broker}/", sent).content.decode()
        assert words in page and typed not in page.replace(words, "")
        assert not BrokerConnection.objects.filter(broker_type=broker).exists()

    def test_asks_for_no_secret_again_that_was_sound(self, desk: Desk) -> None:
        client = client_of(desk)
        page = client.post(CONNECT, {**TYPED, "field_totp_secret": "123456"})
        assert SECRETS[0] not in page.content.decode()
        assert page.content.decode().count("Kept as it was typed") == 2
        mended = {**TYPED, "field_api_key": "", "field_pin": ""}
        client.post(CONNECT, mended)
        connection = BrokerConnection.objects.get(broker_type="angel")
        assert connection.read_credentials() == CREDENTIALS
        assert "typed_secrets" not in client.session

    def test_keeps_no_secret_in_clear(self, desk: Desk) -> None:
        client = client_of(desk)
        client.post(CONNECT, {**TYPED, "alias": ""})
        assert not any(secret in str(dict(client.session)) for secret in SECRETS)

    @pytest.mark.parametrize("left", ["opened anew", "another broker", "too long ago"])
    def test_keeps_a_secret_for_this_form_alone(self, desk: Desk, left: str) -> None:
        client = client_of(desk)
        client.post(CONNECT, {**TYPED, "alias": ""})
        if left == "opened anew":
            client.get(CONNECT)
        after = timedelta(minutes=11 if left == "too long ago" else 0)
        address = "/brokers/connect/kite/" if left == "another broker" else CONNECT
        with time_machine.travel(desk.now + after, tick=False):
            page = client.post(address, {**TYPED, "field_api_key": ""})
        assert "field_api_key" in page.context["form"].errors

    def test_says_that_a_name_is_taken(self, desk: Desk, angel: BrokerConnection) -> None:
        page = client_of(desk).post(CONNECT, TYPED)
        assert "already" in str(page.context["form"].errors["alias"])

    def test_connects(self, desk: Desk) -> None:
        answer = client_of(desk).post(CONNECT, TYPED)
        connection = BrokerConnection.objects.get(broker_type="angel")
        assert answer["Location"] == url(connection)
        assert connection.read_credentials() == CREDENTIALS
        assert newest_attempt(connection).by == desk.user

    def test_lists_every_broker_with_its_daily_way(self, desk: Desk) -> None:
        page = client_of(desk).get("/brokers/connect/").content.decode()
        for label in ("Angel One", "Zerodha Kite", "Dhan", "Alpaca"):
            assert label in page

    def test_says_that_it_is_a_simulator(self, desk: Desk, settings: Settings) -> None:
        words = "Simulated broker: no real order leaves to Angel One"
        pages = ("/", "/orders/", "/risk/", "/brokers/", CONNECT)
        for page in pages:
            assert client_of(desk).get(page).content.decode().count(words) == 1
        settings.BROKER_ENDPOINTS = {}
        for page in pages:
            assert words not in client_of(desk).get(page).content.decode()

    def test_is_said_on_the_ticket_too(self, desk: Desk, angel: BrokerConnection) -> None:
        make_instrument("NSE:TCS")
        asked = {"instrument": "NSE:TCS", "account": str(angel.accounts.get().pk)}
        page = client_of(desk).get("/orders/new/", asked).content.decode()
        assert "One order to a simulator: no real money" in page and "One real order" not in page


class TestConnectionPage:
    def test_is_not_there_for_a_stranger(self, desk: Desk, angel: BrokerConnection) -> None:
        stranger = client_of_stranger()
        assert stranger.get(url(angel)).status_code == 404
        for part in ("log-in/", "disconnect/", "address/", "address/look/", "credentials/"):
            assert stranger.post(url(angel, part)).status_code == 404

    @pytest.mark.parametrize(
        "part", ["log-in/", "token/", "disconnect/", "address/", "address/look/", "credentials/"]
    )
    def test_lets_a_viewer_change_nothing(
        self, desk: Desk, angel: BrokerConnection, part: str
    ) -> None:
        viewer = client_with_role(desk.account.workspace, Role.VIEWER)
        assert viewer.post(url(angel, part)).status_code == 403

    def test_lets_a_trader_look_and_no_more(self, desk: Desk, angel: BrokerConnection) -> None:
        trader = client_with_role(desk.account.workspace, Role.TRADER)
        page = trader.get(url(angel)).content.decode()
        assert "Limits" in page
        assert "/postbacks/" not in page
        assert trader.post(url(angel, "log-in/")).status_code == 404

    def test_has_no_secret_in_it(self, desk: Desk, angel: BrokerConnection) -> None:
        for part in ("", "credentials/"):
            page = client_of(desk).get(url(angel, part)).content.decode()
            assert not any(secret in page for secret in (*SECRETS, "jwt-D100"))

    def test_has_no_page_for_a_paper_account(self, desk: Desk) -> None:
        assert client_of(desk).get(url(desk.account.connection)).status_code == 404

    def test_shows_session_limits_and_abilities(self, desk: Desk, angel: BrokerConnection) -> None:
        page = client_of(desk).get(url(angel)).content.decode()
        for words in ("Connected", "by itself, 08:15", "of 500", "as a limit at a protected price"):
            assert words in page

    def test_lists_only_products_that_a_ticket_sends(
        self, desk: Desk, angel: BrokerConnection
    ) -> None:
        page = client_of(desk).get(url(angel)).content.decode()
        assert "<td>MIS, CNC, MTF</td>" in page

    def test_names_the_address_that_the_house_has_now(
        self, desk: Desk, angel: BrokerConnection, settings: Settings
    ) -> None:
        settings.SITE_URL = "http://localhost:8001"
        page = client_of(desk).get(url(angel)).content.decode()
        assert "http://localhost:8001/postbacks/" in page

    def test_shows_the_words_of_a_failed_login(self, desk: Desk) -> None:
        connection = connect_angel(desk.account.workspace, pin="9999")
        work_off(connection)
        assert b"the PIN is wrong" in client_of(desk).get(url(connection)).content

    def test_costs_few_queries(self, desk: Desk, angel: BrokerConnection) -> None:
        assert queries_of(client_of(desk), url(angel, "part/")) <= 10

    def test_says_everywhere_that_the_session_has_ended(
        self, desk: Desk, angel: BrokerConnection
    ) -> None:
        expire_session(angel, words="Token Expired", now=desk.now)
        for page in (url(angel), "/brokers/", "/"):
            assert b"no exits or cancels either" in client_of(desk).get(page).content


class TestStreams:
    def test_are_shown_as_they_stand_now(self, desk: Desk, angel: BrokerConnection) -> None:
        for status in ("DISCONNECTED", "DISCONNECTED", "CONNECTED"):
            StreamConnection.objects.create(
                connection=angel, status=status, subscribed_events=["MARKET"]
            )
        StreamConnection.objects.create(
            connection=angel, status="ERROR", subscribed_events=["ORDERS"]
        )
        shown = client_of(desk).get("/brokers/").context["streams"]
        assert [(each.is_for_prices, each.status) for each in shown] == [
            (False, "ERROR"), (True, "CONNECTED"),
        ]  # fmt: skip


class TestLogIn:
    def test_begins_again(self, desk: Desk, angel: BrokerConnection) -> None:
        client_of(desk).post(url(angel, "log-in/"))
        assert newest_attempt(angel).status == LoginStatus.QUEUED

    def test_takes_the_token_of_the_day_sealed(self, desk: Desk, angel: BrokerConnection) -> None:
        client_of(desk).post(url(angel, "token/"), {"token": "pasted-token"})
        attempt = newest_attempt(angel)
        assert "pasted-token" not in attempt.answer
        assert attempt.read_answer() == {"access_token": "pasted-token"}

    def test_asks_before_a_person_disconnects(self, desk: Desk, angel: BrokerConnection) -> None:
        angel.accounts.update(live_enabled=True)
        asked = client_of(desk).get(url(angel, "disconnect/")).content.decode()
        assert "account loses live trading" in " ".join(asked.split())
        angel.refresh_from_db()
        assert angel.status == ConnectionStatus.CONNECTED

    def test_ends_when_a_person_disconnects(self, desk: Desk, angel: BrokerConnection) -> None:
        client_of(desk).post(url(angel, "disconnect/"))
        angel.refresh_from_db()
        assert angel.status == ConnectionStatus.DISCONNECTED
        assert not AuthToken.objects.filter(is_active=True).exists()


class TestCredentials:
    def test_say_that_live_trading_is_turned_off(self, desk: Desk, angel: BrokerConnection) -> None:
        angel.accounts.update(live_enabled=True)
        client = client_of(desk)
        assert b"live trading is turned off" in client.get(url(angel, "credentials/")).content
        client.post(url(angel, "credentials/"), TYPED)
        assert not angel.accounts.filter(live_enabled=True).exists()

    def test_keep_what_is_left_empty(self, desk: Desk, angel: BrokerConnection) -> None:
        sent = {"field_client_code": "", "field_totp_secret": "JBSWY3DPEHPK3PXP"}
        client = client_of(desk)
        assert client.post(url(angel, "credentials/"), sent).status_code == 200
        client.post(url(angel, "credentials/"), {**sent, "field_client_code": "A9"})
        angel.refresh_from_db()
        changed = {"client_code": "A9", "totp_secret": "JBSWY3DPEHPK3PXP"}
        assert angel.read_credentials() == CREDENTIALS | changed

    def test_forget_an_optional_secret_when_asked(self, desk: Desk) -> None:
        client = client_of(desk)
        sent = {"alias": "Dhan", "field_client_id": "1100", "field_pin": "1234"}
        client.post("/brokers/connect/dhan/", {**sent, "field_totp_secret": "JBSWY3DPEHPK3PXP"})
        dhan = BrokerConnection.objects.get(broker_type="dhan")
        client.post(
            url(dhan, "credentials/"), {**sent, "field_pin": "", "forget_totp_secret": "on"}
        )
        dhan.refresh_from_db()
        assert dhan.read_credentials() == {"client_id": "1100", "pin": "1234"}


class TestCallback:
    def state(self, desk: Desk) -> str:
        """Begin a login at Zerodha and return the state that its page would send back."""
        connection = connect_kite(desk.account.workspace)
        page = work_off(connection, at=desk.now).page
        sent = parse_qs(urlsplit(page).query)["redirect_params"][0]
        return parse_qs(sent)["state"][0]

    def test_takes_nothing_that_was_not_begun_here(self, desk: Desk) -> None:
        self.state(desk)
        client = client_of(desk)
        client.get("/brokers/callback/kite/", {"state": "forged", "request_token": "r"})
        client.get("/brokers/callback/kite/", {"request_token": "r"})
        assert LoginAttempt.objects.get().status == LoginStatus.AT_BROKER

    def test_takes_nothing_from_another_person(self, desk: Desk) -> None:
        answer = {"state": self.state(desk), "request_token": "r"}
        client_with_role(desk.account.workspace, Role.ADMIN).get("/brokers/callback/kite/", answer)
        assert LoginAttempt.objects.get().status == LoginStatus.AT_BROKER

    def test_takes_an_answer_once(self, desk: Desk) -> None:
        answer = {"state": self.state(desk), "request_token": "r", "status": "success"}
        client = client_of(desk)
        first = client.get("/brokers/callback/kite/", answer)
        again = client.get("/brokers/callback/kite/", answer, follow=True)
        attempt = LoginAttempt.objects.get()
        assert first["Location"] == url(attempt.connection)
        assert attempt.read_answer() == {"request_token": "r", "status": "success"}
        assert "Nobody waits" in str(*again.context["messages"])


class TestAddress:
    def test_that_is_none_is_refused(self, desk: Desk, angel: BrokerConnection) -> None:
        page = client_of(desk).post(url(angel, "address/"), {"static_ip": "home"}, follow=True)
        angel.refresh_from_db()
        assert b"Write an address" in page.content
        assert "static_ip" not in angel.connection_metadata

    def test_is_written_down_and_holds_orders_back(
        self, desk: Desk, angel: BrokerConnection
    ) -> None:
        client_of(desk).post(url(angel, "address/"), {"static_ip": "203.0.113.44"})
        page = client_of(desk).get(url(angel)).content.decode()
        assert "Orders are held back" in page
        assert "Orders must come from 203.0.113.44" in page

    def test_that_matches_says_so(self, desk: Desk, angel: BrokerConnection) -> None:
        configure_address(angel, static_ip="203.0.113.44", egress="", now=desk.now)
        seen = {"seen_ip": "203.0.113.44", "seen_at": desk.now.isoformat()}
        angel.connection_metadata = {**angel.connection_metadata, **seen}
        angel.save()
        assert b"Matches" in client_of(desk).get(url(angel)).content


class TestAdmin:
    def test_shows_no_secret(self, desk: Desk, angel: BrokerConnection) -> None:
        connect_kite(desk.account.workspace)
        operator = make_user("operator", is_staff=True, is_superuser=True)
        Membership.objects.create(workspace=desk.account.workspace, user=operator, role=Role.OWNER)
        client = client_of(desk)
        client.force_login(operator)
        page = client.get(f"/admin/brokers/brokerconnection/{angel.pk}/change/")
        assert page.status_code == 200
        assert angel.credentials not in page.content.decode()

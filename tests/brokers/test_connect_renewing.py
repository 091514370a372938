"""The daily cycle: the house logs in by itself, people are reminded, failures are told."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import Membership, Role, Workspace
from brokers.addresses import configure_address
from brokers.models import AuthToken, BrokerConnection, ConnectionStatus, LoginAttempt, LoginStatus
from brokers.renewing import MOST_LOGINS_A_DAY, WAITS, renew_sessions
from brokers.services import disconnect_broker
from brokers.tasks import look_at_addresses
from brokers.venue import IST
from notifications.models import AlertLevel, Notification
from tests.brokers.angel.market import AngelStand
from tests.brokers.connecting import connect_angel, connect_kite, simulated_angel, work_off
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db
EVENING = datetime(2026, 6, 17, 19, 0, tzinfo=IST)
MORNING = datetime(2026, 6, 18, 8, 15, tzinfo=IST)


@pytest.fixture(scope="module")
def simulator() -> Iterator[AngelStand]:
    with simulated_angel() as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def _pointed_at_it(simulator: AngelStand, settings: Settings) -> None:
    simulator.renew()
    settings.BROKER_ENDPOINTS = {"angel": simulator.server.url}


@pytest.fixture
def desk() -> Workspace:
    return make_workspace(make_user())


@pytest.fixture
def angel(desk: Workspace) -> BrokerConnection:
    """Logged in on Wednesday, until midnight."""
    connection = connect_angel(desk)
    work_off(connection)
    return connection


def by_itself() -> int:
    return LoginAttempt.objects.filter(by=None).count()


class TestRenewSessions:
    def test_does_nothing_before_the_morning(self, angel: BrokerConnection) -> None:
        renew_sessions(now=MORNING - timedelta(minutes=1))
        assert by_itself() == 0

    def test_does_nothing_while_the_session_stands(self, angel: BrokerConnection) -> None:
        renew_sessions(now=EVENING)
        assert by_itself() == 0

    def test_leaves_alone_what_a_person_disconnected(self, angel: BrokerConnection) -> None:
        disconnect_broker(angel, now=EVENING)
        renew_sessions(now=MORNING)
        assert by_itself() == 0

    def test_leaves_alone_what_failed_in_a_persons_hands(self, desk: Workspace) -> None:
        work_off(connect_angel(desk, pin="9999"))
        renew_sessions(now=NOW + timedelta(minutes=5))
        assert by_itself() == 0

    def test_says_that_the_session_has_ended(self, angel: BrokerConnection) -> None:
        renew_sessions(now=MORNING - timedelta(hours=2))
        angel.refresh_from_db()
        assert angel.status == ConnectionStatus.EXPIRED

    def test_logs_in_in_the_morning(self, angel: BrokerConnection, simulator: AngelStand) -> None:
        simulator.clock.at = MORNING
        renew_sessions(now=MORNING)
        work_off(angel, at=MORNING)
        token = AuthToken.objects.get(connection=angel, is_active=True)
        assert angel.status == ConnectionStatus.CONNECTED
        assert token.expires_at == datetime(2026, 6, 19, 0, 0, tzinfo=IST)

    def test_logs_in_again_when_the_broker_ended_the_session(self, angel: BrokerConnection) -> None:
        AuthToken.objects.update(expires_at=NOW)
        renew_sessions(now=NOW)
        assert by_itself() == 1

    def test_renews_before_the_session_what_would_end_in_it(self, angel: BrokerConnection) -> None:
        AuthToken.objects.update(expires_at=MORNING + timedelta(hours=3))
        renew_sessions(now=MORNING)
        assert by_itself() == 1

    def test_gives_up_a_tug_of_war(self, angel: BrokerConnection) -> None:
        for number in range(MOST_LOGINS_A_DAY):
            LoginAttempt.objects.create(
                connection=angel,
                status=LoginStatus.DONE,
                created_at=NOW + timedelta(minutes=number),
                moved_at=NOW,
            )
        AuthToken.objects.update(expires_at=NOW)
        renew_sessions(now=NOW + timedelta(hours=1))
        assert by_itself() == MOST_LOGINS_A_DAY
        assert Notification.objects.get().title == "Log in at Angel One"

    def test_asks_once_while_a_worker_is_at_it(self, angel: BrokerConnection) -> None:
        renew_sessions(now=MORNING)
        renew_sessions(now=MORNING + timedelta(minutes=1))
        assert by_itself() == 1


class TestFailures:
    def fail_all_day(self, connection: BrokerConnection) -> None:
        connection.seal_credentials({**connection.read_credentials(), "pin": "9999"})
        connection.save()
        for minute in range(120):
            now = MORNING + timedelta(minutes=minute)
            before = by_itself()
            renew_sessions(now=now)
            if by_itself() > before:
                work_off(connection, at=now)

    def test_are_few_a_day(self, angel: BrokerConnection) -> None:
        self.fail_all_day(angel)
        assert by_itself() == len(WAITS)

    def test_wait_longer_each_time(self, angel: BrokerConnection) -> None:
        self.fail_all_day(angel)
        times = LoginAttempt.objects.filter(by=None).order_by("pk").values_list(
            "created_at", flat=True
        )  # fmt: skip
        minutes = [int((at - MORNING).total_seconds() // 60) for at in times]
        assert minutes == [0, 2, 12, 42]

    def test_are_told_to_managers_at_the_first_and_the_last(self, angel: BrokerConnection) -> None:
        viewer = make_user("ravi")
        Membership.objects.create(workspace=angel.workspace, user=viewer, role=Role.VIEWER)
        self.fail_all_day(angel)
        told = Notification.objects.order_by("pk").values_list("user__username", "alert_level")
        assert list(told) == [("asha", AlertLevel.WARNING), ("asha", AlertLevel.CRITICAL)]

    def test_begin_anew_the_next_day(self, angel: BrokerConnection) -> None:
        self.fail_all_day(angel)
        renew_sessions(now=MORNING + timedelta(days=1))
        assert by_itself() == len(WAITS) + 1


class TestReminder:
    @pytest.fixture
    def kite(self, desk: Workspace) -> BrokerConnection:
        """Signed out since six in the morning."""
        connection = connect_kite(desk)
        LoginAttempt.objects.all().delete()
        connection.status = ConnectionStatus.EXPIRED
        connection.save()
        return connection

    def test_is_sent_once_a_day(self, kite: BrokerConnection) -> None:
        for minutes in (0, 1, 90):
            renew_sessions(now=MORNING + timedelta(minutes=minutes))
        told = Notification.objects.get()
        assert (told.user, told.title) == (kite.user, "Log in at Zerodha Kite")
        assert "exits" in told.message

    def test_is_sent_again_the_next_day(self, kite: BrokerConnection) -> None:
        renew_sessions(now=MORNING)
        renew_sessions(now=MORNING + timedelta(days=1))
        assert Notification.objects.count() == 2

    def test_is_sent_again_when_a_new_session_ends_the_same_day(
        self, kite: BrokerConnection
    ) -> None:
        renew_sessions(now=MORNING)
        with time_machine.travel(MORNING + timedelta(minutes=20), tick=False):
            AuthToken.objects.create(connection=kite, is_active=False)
        renew_sessions(now=MORNING + timedelta(hours=3))
        renew_sessions(now=MORNING + timedelta(hours=4))
        assert Notification.objects.count() == 2

    def test_is_not_sent_on_a_sunday(self, kite: BrokerConnection) -> None:
        renew_sessions(now=MORNING + timedelta(days=3))
        assert not Notification.objects.exists()

    def test_never_logs_in(self, kite: BrokerConnection) -> None:
        renew_sessions(now=MORNING)
        assert by_itself() == 0


class Echo(BaseHTTPRequestHandler):
    """Says which address it sees, as the service outside does."""

    words = b"203.0.113.44\n"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.words)

    def log_message(self, format: str, *args: object) -> None:
        return


class TestLookAtAddresses:
    @pytest.fixture(autouse=True)
    def _outside(self, settings: Settings) -> Iterator[None]:
        with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            settings.ADDRESS_CHECK_URL = f"http://127.0.0.1:{server.server_port}/"
            yield
            server.shutdown()

    def test_leaves_alone_what_has_none_registered(self, angel: BrokerConnection) -> None:
        look_at_addresses()
        angel.refresh_from_db()
        assert "seen_ip" not in angel.connection_metadata

    def test_remembers_what_it_saw(self, angel: BrokerConnection) -> None:
        configure_address(angel, static_ip="203.0.113.44", egress="", now=NOW)
        look_at_addresses()
        angel.refresh_from_db()
        assert angel.connection_metadata["seen_ip"] == "203.0.113.44"

    def test_writes_down_why_nobody_could_look(
        self, angel: BrokerConnection, settings: Settings
    ) -> None:
        settings.ADDRESS_CHECK_URL = "http://127.0.0.1:9/"
        configure_address(angel, static_ip="203.0.113.44", egress="", now=NOW)
        look_at_addresses()
        angel.refresh_from_db()
        words = "The address service could not be reached. Look again later."
        assert angel.connection_metadata["unseen_words"] == words
        assert angel.connection_metadata["seen_ip"] == ""

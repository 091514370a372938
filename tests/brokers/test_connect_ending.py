"""The end of a connection's logins: what is under way ends with it, and at the broker too."""

from collections.abc import Iterator
from functools import partial

import pytest
from celery import current_app
from kombu import Queue
from pytest_django import Settings
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from accounts.models import Workspace
from brokers.connecting import leave_broker, renew_credentials
from brokers.logging_in import fail_login
from brokers.models import (
    AuthToken,
    BrokerConnection,
    ConnectionStatus,
    LoginAttempt,
    LoginStatus,
)
from brokers.sessions import LoginGivenUp, open_session
from brokers.tasks import log_out, run_login
from operations.models import SystemLog
from tests.brokers.angel.market import CREDENTIALS, AngelStand
from tests.brokers.connecting import (
    connect_angel,
    connect_kite,
    newest_attempt,
    simulated_angel,
    work_off,
)
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db
NEW = {**CREDENTIALS, "api_key": "another-key"}


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
    connection = connect_angel(desk)
    work_off(connection)
    return connection


@pytest.fixture(params=["disconnect", "renew"])
def end(request: pytest.FixtureRequest, desk: Workspace) -> "partial[None]":
    """What a person does who wants no login of the old credentials any more."""
    if request.param == "disconnect":
        return partial(leave_broker, by=desk.owner, now=NOW)
    return partial(renew_credentials, by=desk.owner, credentials=NEW, now=NOW)


@pytest.fixture
def sync_queue() -> Iterator[Queue]:
    """The queue that logins and logouts go to, empty; nobody works here."""
    with current_app.connection_for_write() as line:
        queue = current_app.amqp.queues["sync"](line.default_channel)
        queue.declare()
        queue.purge()
        yield queue
        queue.purge()


def running(connection: BrokerConnection) -> LoginAttempt:
    """Return an attempt for which a worker is asking the broker just now."""
    attempt = newest_attempt(connection)
    LoginAttempt.objects.filter(pk=attempt.pk).update(status=LoginStatus.RUNNING)
    return LoginAttempt.objects.select_related("connection").get(pk=attempt.pk)


class TestALoginUnderWay:
    def test_that_waits_is_given_up(self, desk: Workspace, end: "partial[None]") -> None:
        connection = connect_angel(desk)
        attempt = newest_attempt(connection)
        end(connection)
        run_login(attempt.pk, now=NOW)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.words[:8]) == (LoginStatus.FAILED, "Given up")
        assert not AuthToken.objects.exists()

    def test_on_the_brokers_page_is_given_up(self, desk: Workspace, end: "partial[None]") -> None:
        connection = connect_kite(desk)
        attempt = work_off(connection)
        end(connection)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.page) == (LoginStatus.FAILED, "")

    def test_at_a_worker_keeps_nothing(self, desk: Workspace, end: "partial[None]") -> None:
        attempt = running(connect_angel(desk))
        end(BrokerConnection.objects.get(pk=attempt.connection_id))
        with pytest.raises(LoginGivenUp):
            open_session(attempt.connection, answer={}, now=NOW, attempt=attempt)
        assert not AuthToken.objects.exists()

    def test_with_credentials_that_were_replaced_keeps_nothing(self, desk: Workspace) -> None:
        attempt = running(connect_angel(desk))
        renewed = BrokerConnection.objects.get(pk=attempt.connection_id)
        renewed.seal_credentials(NEW)
        renewed.save()
        with pytest.raises(LoginGivenUp, match="replaced"):
            open_session(attempt.connection, answer={}, now=NOW, attempt=attempt)

    def test_is_logged_out_again_where_a_person_disconnected(
        self, desk: Workspace, simulator: AngelStand
    ) -> None:
        attempt = running(connect_angel(desk))
        leave_broker(attempt.connection, by=desk.owner, now=NOW)
        with pytest.raises(LoginGivenUp):
            open_session(attempt.connection, answer={}, now=NOW, attempt=attempt)
        assert simulator.requests("*/logout")

    def test_that_fails_late_does_not_undo_the_end(self, desk: Workspace) -> None:
        attempt = running(connect_angel(desk))
        leave_broker(attempt.connection, by=desk.owner, now=NOW)
        assert not fail_login(attempt, words="The PIN is wrong", now=NOW)
        connection = BrokerConnection.objects.get(pk=attempt.connection_id)
        assert connection.status == ConnectionStatus.DISCONNECTED
        assert newest_attempt(connection).words.startswith("Given up")


class TestDisconnecting:
    def test_asks_a_worker_to_log_out_at_the_broker(
        self,
        angel: BrokerConnection,
        sync_queue: Queue,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            leave_broker(angel, by=angel.user, now=NOW)
        message = sync_queue.get()
        assert message is not None
        assert message.headers["task"] == "brokers.tasks.log_out"
        assert message.decode()[1] == {"token_id": str(AuthToken.objects.get().pk)}

    def test_asks_for_nothing_where_nobody_was_logged_in(
        self,
        angel: BrokerConnection,
        sync_queue: Queue,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        AuthToken.objects.update(expires_at=NOW)
        with django_capture_on_commit_callbacks(execute=True):
            leave_broker(angel, by=angel.user, now=NOW)
        assert sync_queue.get() is None


class TestLogOut:
    def leave(self, angel: BrokerConnection) -> str:
        leave_broker(angel, by=angel.user, now=NOW)
        return str(AuthToken.objects.get().pk)

    def test_leaves_a_session_alone_that_is_open(
        self, angel: BrokerConnection, simulator: AngelStand
    ) -> None:
        log_out(token_id=str(AuthToken.objects.get().pk))
        assert not simulator.requests("*/logout")

    def test_leaves_it_to_a_newer_login(
        self, angel: BrokerConnection, simulator: AngelStand
    ) -> None:
        token_id = self.leave(angel)
        open_session(angel, answer={}, now=NOW)
        log_out(token_id=token_id)
        assert not simulator.requests("*/logout")

    def test_ends_the_session_once_and_forgets_it(
        self, angel: BrokerConnection, simulator: AngelStand
    ) -> None:
        token_id = self.leave(angel)
        for _ in range(2):
            log_out(token_id=token_id)
        assert len(simulator.requests("*/logout")) == 1
        assert AuthToken.objects.get().access_token == ""

    def test_says_in_the_log_that_the_broker_was_not_told(
        self, angel: BrokerConnection, settings: Settings
    ) -> None:
        settings.BROKER_ENDPOINTS = {"angel": "http://127.0.0.1:9"}
        log_out(token_id=self.leave(angel))
        assert SystemLog.objects.filter(message__contains="Angel One's logout").exists()

"""The way of a login: asked by a page, done by a worker, finished on a broker's page."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core import signing

from accounts.models import Membership, Role, Workspace
from brokers.logging_in import (
    StateInvalid,
    begin_login,
    come_back,
    find_lost_logins,
    run_login,
    state_of,
)
from brokers.models import AuthToken, BrokerConnection, ConnectionStatus, LoginAttempt, LoginStatus
from brokers.tasks import run_login as work
from operations.models import ErrorLog
from tests.brokers.connecting import connect_angel, connect_kite, newest_attempt, work_off
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db
ANSWER = {"request_token": "r", "status": "success"}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def desk() -> Workspace:
    return make_workspace(make_user())


@pytest.fixture
def kite(desk: Workspace) -> BrokerConnection:
    """A connection whose person has been shown Zerodha's page."""
    connection = connect_kite(desk)
    work_off(connection)
    return connection


class TestComeBack:
    def test_refuses_a_state_that_is_not_ours(self, kite: BrokerConnection) -> None:
        forged = signing.dumps({"attempt": str(newest_attempt(kite).pk), "by": "x"}, salt="other")
        for state in ("", "nonsense", forged):
            with pytest.raises(StateInvalid):
                come_back("kite", by=kite.user, state=state, answer=ANSWER, now=NOW)

    def test_refuses_another_person(self, kite: BrokerConnection) -> None:
        other = make_user("ravi")
        Membership.objects.create(workspace=kite.workspace, user=other, role=Role.OWNER)
        with pytest.raises(StateInvalid, match="Another person"):
            come_back(
                "kite", by=other, state=state_of(newest_attempt(kite)), answer=ANSWER, now=NOW
            )

    def test_refuses_a_state_used_before(self, kite: BrokerConnection) -> None:
        state = state_of(newest_attempt(kite))
        come_back("kite", by=kite.user, state=state, answer=ANSWER, now=NOW)
        with pytest.raises(StateInvalid):
            come_back("kite", by=kite.user, state=state, answer=ANSWER, now=NOW)

    def test_refuses_a_state_that_came_too_late(self, kite: BrokerConnection) -> None:
        state = state_of(newest_attempt(kite))
        late = NOW + timedelta(minutes=16)
        with time_machine.travel(late, tick=False), pytest.raises(StateInvalid, match="too late"):
            come_back("kite", by=kite.user, state=state, answer=ANSWER, now=late)

    def test_refuses_the_state_of_another_broker(self, kite: BrokerConnection) -> None:
        with pytest.raises(StateInvalid):
            come_back(
                "dhan", by=kite.user, state=state_of(newest_attempt(kite)), answer=ANSWER, now=NOW
            )

    def test_refuses_the_state_of_an_attempt_given_up(self, kite: BrokerConnection) -> None:
        state = state_of(newest_attempt(kite))
        begin_login(kite, by=kite.user, answer={}, now=NOW + timedelta(seconds=1))
        with pytest.raises(StateInvalid):
            come_back("kite", by=kite.user, state=state, answer=ANSWER, now=NOW)

    def test_keeps_the_answer_sealed_for_a_worker(self, kite: BrokerConnection) -> None:
        attempt = come_back(
            "kite",
            by=kite.user,
            state=state_of(newest_attempt(kite)),
            answer={"request_token": "one-time-token"},
            now=NOW,
        )
        attempt.refresh_from_db()
        assert (attempt.status, attempt.page) == (LoginStatus.QUEUED, "")
        assert "one-time-token" not in attempt.answer
        assert attempt.read_answer() == {"request_token": "one-time-token"}


class TestBeginLogin:
    def test_does_not_log_in_twice_at_once(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        again = begin_login(connection, by=desk.owner, answer={}, now=NOW)
        assert LoginAttempt.objects.get() == again

    def test_shows_the_person_where_to_sign_in(self, kite: BrokerConnection) -> None:
        attempt = newest_attempt(kite)
        assert attempt.status == LoginStatus.AT_BROKER
        assert "api_key=kitedemo" in attempt.page
        assert "kite-demo-secret" not in attempt.page


class TestRunLogin:
    def test_is_done_once(self, kite: BrokerConnection) -> None:
        assert run_login(newest_attempt(kite).pk, now=NOW) is None

    def test_that_fails_leaves_a_session_that_stands(self, desk: Workspace) -> None:
        connection = connect_kite(desk)
        connection.status = ConnectionStatus.CONNECTED
        connection.save()
        AuthToken.objects.create(connection=connection)
        begin_login(connection, by=desk.owner, answer={"access_token": "x"}, now=NOW)
        assert work_off(connection).status == LoginStatus.FAILED
        assert connection.status == ConnectionStatus.CONNECTED
        assert AuthToken.objects.filter(is_active=True).exists()

    def test_tells_the_page_of_our_own_mistakes_too(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        BrokerConnection.objects.update(credentials="not sealed at all")
        work(newest_attempt(connection).pk, now=NOW)
        assert "written down" in newest_attempt(connection).words
        assert ErrorLog.objects.exists()


class TestFindLostLogins:
    def test_ends_what_a_worker_left_half_done(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        LoginAttempt.objects.update(status=LoginStatus.RUNNING)
        find_lost_logins(now=NOW + timedelta(minutes=4))
        assert newest_attempt(connection).status == LoginStatus.FAILED

    def test_ends_what_nobody_finished(self, kite: BrokerConnection) -> None:
        find_lost_logins(now=NOW + timedelta(minutes=16))
        assert newest_attempt(kite).words == "Nobody signed in"

    def test_names_those_that_wait(self, desk: Workspace) -> None:
        connection = connect_angel(desk)
        assert find_lost_logins(now=NOW) == [newest_attempt(connection).pk]

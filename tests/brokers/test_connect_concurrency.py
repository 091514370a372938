"""Two workers at one connection at the same moment: everywhere it is locked first."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import connections, transaction

from brokers.logging_in import begin_login, fail_login
from brokers.models import AuthToken, BrokerConnection, ConnectionStatus, LoginAttempt, LoginStatus
from brokers.services import disconnect_broker
from brokers.sessions import expire_session
from tests.brokers.connecting import connect_angel, newest_attempt
from tests.builders import NOW, make_user, make_workspace

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        database.vendor == "sqlite", reason="SQLite lets one writer in at a time: none can cross"
    ),
]


@pytest.fixture
def connected() -> BrokerConnection:
    connected = connect_angel(make_workspace(make_user()))
    LoginAttempt.objects.update(status=LoginStatus.AT_BROKER)
    BrokerConnection.objects.update(status=ConnectionStatus.CONNECTED)
    AuthToken.objects.create(connection=connected)
    return connected


def wait_until_blocked(worker: Future[None]) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    ends = time.monotonic() + 10
    while time.monotonic() < ends and not worker.done():
        with connections["default"].cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)


class TestAConnection:
    def test_that_is_disconnected_while_its_session_ends(self, connected: BrokerConnection) -> None:
        def expire() -> None:
            expire_session(connected, words="Token Expired", now=NOW)
            connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                BrokerConnection.objects.select_for_update().get(pk=connected.pk)
                worker = pool.submit(expire)
                wait_until_blocked(worker)
                disconnect_broker(connected, now=NOW)
            worker.result(timeout=10)
        connected.refresh_from_db()
        assert connected.status == ConnectionStatus.DISCONNECTED

    def test_that_logs_in_anew_while_a_login_fails(self, connected: BrokerConnection) -> None:
        older = newest_attempt(connected)

        def fail() -> None:
            fail_login(older, words="The broker did not answer", now=NOW)
            connections.close_all()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                BrokerConnection.objects.select_for_update().get(pk=connected.pk)
                worker = pool.submit(fail)
                wait_until_blocked(worker)
                later = NOW + timedelta(seconds=1)
                newer = begin_login(connected, by=connected.user, answer={}, now=later)
            worker.result(timeout=10)
        older.refresh_from_db()
        assert (older.words, newer.is_open) == ("Given up for a newer one", True)

"""A login is a good moment to look at our address: entries wait for nothing else then."""

from collections.abc import Iterator

import pytest
from celery import current_app
from kombu import Queue
from pytest_django import Settings

from brokers.addresses import configure_address
from brokers.models import BrokerConnection, LoginStatus
from tests.brokers.angel.market import AngelStand
from tests.brokers.connecting import connect_angel, simulated_angel, work_off
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def simulator() -> Iterator[AngelStand]:
    with simulated_angel() as simulator:
        yield simulator


@pytest.fixture
def angel(simulator: AngelStand, settings: Settings) -> BrokerConnection:
    simulator.renew()
    settings.BROKER_ENDPOINTS = {"angel": simulator.server.url}
    return connect_angel(make_workspace(make_user()))


@pytest.fixture
def sync_queue() -> Iterator[Queue]:
    """The queue of looks at the address, empty; nobody works here."""
    with current_app.connection_for_write() as line:
        queue = current_app.amqp.queues["sync"](line.default_channel)
        queue.declare()
        queue.purge()
        yield queue
        queue.purge()


class TestALogin:
    def test_without_a_registered_address_looks_at_nothing(
        self, angel: BrokerConnection, sync_queue: Queue
    ) -> None:
        assert work_off(angel).status == LoginStatus.DONE
        assert not sync_queue.purge()

    def test_that_failed_looks_at_nothing(
        self, angel: BrokerConnection, sync_queue: Queue, settings: Settings
    ) -> None:
        configure_address(angel, static_ip="203.0.113.44", egress="", now=NOW)
        settings.BROKER_ENDPOINTS = {"angel": "http://127.0.0.1:9"}
        assert work_off(angel).status == LoginStatus.FAILED
        assert not sync_queue.purge()

    def test_asks_for_a_look_at_the_address(
        self, angel: BrokerConnection, sync_queue: Queue
    ) -> None:
        configure_address(angel, static_ip="203.0.113.44", egress="", now=NOW)
        assert work_off(angel).status == LoginStatus.DONE
        assert sync_queue.purge() == 1

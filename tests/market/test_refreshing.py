"""Lists fetched by themselves: when, from where, and what happens when it goes wrong."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from brokers.masters import Master
from brokers.models import BrokerConnection, ConnectionStatus
from brokers.registry import UnknownBroker, brokers, master_of
from brokers.sessions import SessionMissing
from brokers.transport import NoAnswer
from market.importing.downloading import Asking, Bounds, downloaded
from market.importing.kinds import MASTERS
from market.importing.rows import FileRefused
from market.models import BrokerInstrument, ImportKind, ImportRun, Instrument
from market.refreshing import TRY_AGAIN_AFTER, refresh_due_masters, refresh_master
from notifications.models import Notification
from operations.leases import LeaseHeld, claim_lease
from tests.builders import NOW
from tests.market.lists import FileServer, angel_file, angel_shares, connect_at

pytestmark = pytest.mark.django_db
LIST = angel_file(angel_shares([f"SHARE{number}" for number in range(10)]))


def at_ist(hour: int, minute: int = 0, *, day: int = 17) -> Callable[[], datetime]:
    moment = datetime(2026, 6, day, hour, minute, tzinfo=UTC) - timedelta(hours=5, minutes=30)
    return lambda: moment


@pytest.fixture
def server(settings: LazySettings) -> Iterator[FileServer]:
    with FileServer().running() as server:
        server.body = LIST
        settings.BROKER_ENDPOINTS = {"angel": server.url, "alpaca": server.url}
        yield server


class TestMasterOf:
    @pytest.mark.parametrize("name", ["paper", "nobody"])
    def test_is_refused_where_there_is_no_list(self, name: str) -> None:
        with pytest.raises(UnknownBroker):
            master_of(name)

    @pytest.mark.parametrize("name", [each.name for each in brokers() if not each.is_paper])
    def test_offers_the_same_of_every_broker(self, name: str) -> None:
        master = master_of(name)
        assert MASTERS[ImportKind(master.KIND)][0] == name
        assert master.address({}).startswith("https://")
        assert all(isinstance(value, str) for value in master.headers({}).values())
        assert master.EXCHANGE in ("NSE", "NYSE")


class TestDownload:
    @pytest.fixture
    def master(self) -> Master:
        return master_of("angel")

    @pytest.mark.parametrize("status", [403, 404, 500])
    def test_without_a_list_is_refused(
        self, server: FileServer, master: Master, status: int
    ) -> None:
        server.status = status
        with pytest.raises(FileRefused, match=str(status)), downloaded(master, Asking()):
            pytest.fail("there is no list")

    def test_that_breaks_off_brings_nothing(self, server: FileServer, master: Master) -> None:
        server.cut = 100
        with pytest.raises(NoAnswer), downloaded(master, Asking()):
            pytest.fail("there is no list")

    @pytest.mark.parametrize("packed", [False, True])
    def test_that_is_too_large_is_refused(
        self, server: FileServer, master: Master, packed: bool
    ) -> None:
        server.packed, server.body = packed, b"[" * 3_000_000
        asking = Asking(bounds=Bounds(size=1024 * 1024))
        with pytest.raises(FileRefused, match="larger than 1 MB"), downloaded(master, asking):
            pytest.fail("there is no list")

    def test_that_takes_too_long_is_given_up(self, server: FileServer, master: Master) -> None:
        asking = Asking(bounds=Bounds(seconds=-1))
        with pytest.raises(NoAnswer, match="took more than"), downloaded(master, asking):
            pytest.fail("there is no list")

    @pytest.mark.parametrize("packed", [False, True])
    def test_gives_the_file_as_it_is(
        self, server: FileServer, master: Master, packed: bool
    ) -> None:
        server.packed = packed
        with downloaded(master, Asking()) as file:
            assert file.read() == LIST

    def test_follows_a_redirect(self, server: FileServer, master: Master) -> None:
        server.moved = True
        with downloaded(master, Asking()) as file:
            assert file.read() == LIST


class TestRefreshMaster:
    def test_without_the_login_it_needs_is_refused(self, server: FileServer) -> None:
        connect_at("alpaca")
        with pytest.raises(SessionMissing, match="log in first"):
            refresh_master("alpaca", clock=at_ist(20))

    def test_while_another_does_it_is_refused(self, server: FileServer) -> None:
        claim_lease("instrument-list:angel", holder="x", length=timedelta(hours=1), now=NOW)
        with pytest.raises(LeaseHeld):
            refresh_master("angel", clock=lambda: NOW)

    def test_imports_the_whole_list(self, server: FileServer) -> None:
        run = refresh_master("angel", clock=at_ist(8))
        assert (run.status, run.rows_written) == ("COMPLETED", 10)
        assert run.file_name == "OpenAPIScripMaster.json"
        assert BrokerInstrument.objects.filter(refreshed_on="2026-06-17").count() == 10

    @pytest.mark.parametrize("body", [b"", b"<html>Down</html>", LIST[:-50], b"[]"])
    def test_of_anything_else_keeps_the_old_list(self, server: FileServer, body: bytes) -> None:
        refresh_master("angel", clock=at_ist(8, day=16))
        server.body = body
        assert refresh_master("angel", clock=at_ist(8)).status == "FAILED"
        assert BrokerInstrument.objects.filter(is_listed=True).count() == 10
        assert Instrument.objects.filter(is_active=True).count() == 10


class TestAlarm:
    def alarms(self) -> list[str]:
        return list(Notification.objects.values_list("message", flat=True))

    def test_is_not_raised_by_a_broker_that_sleeps_at_eight(self, server: FileServer) -> None:
        connect_at("angel")
        refresh_master("angel", clock=at_ist(8, day=16))
        server.status = 503
        refresh_master("angel", clock=at_ist(8))
        assert not self.alarms()

    def test_is_raised_once_the_list_is_wanted(self, server: FileServer) -> None:
        connect_at("angel")
        refresh_master("angel", clock=at_ist(8, day=16))
        server.status = 503
        refresh_master("angel", clock=at_ist(8, 50))
        refresh_master("angel", clock=at_ist(9, 5))
        (words,) = self.alarms()
        assert "HTTP 503" in words
        assert "The list of 16 Jun 2026 stays" in words

    def test_is_raised_at_once_by_a_list_cut_short(self, server: FileServer) -> None:
        connect_at("angel")
        refresh_master("angel", clock=at_ist(8, day=16))
        server.body = angel_file(angel_shares(["SHARE0"]))
        refresh_master("angel", clock=at_ist(8))
        (words,) = self.alarms()
        assert "9 of the 10 instruments of the last list are missing" in words


class TestRefreshDueMasters:
    @pytest.fixture(autouse=True)
    def _connection(self, server: FileServer) -> BrokerConnection:
        return connect_at("angel")

    def test_leaves_a_broker_alone_that_nobody_connected(self, server: FileServer) -> None:
        BrokerConnection.objects.update(status=ConnectionStatus.DISCONNECTED)
        assert not refresh_due_masters(clock=at_ist(8))
        assert server.asked == 0

    def test_fetches_a_first_list_at_any_hour(self) -> None:
        assert [run.status for run in refresh_due_masters(clock=at_ist(23))] == ["COMPLETED"]

    def test_waits_for_the_days_own_list(self, server: FileServer) -> None:
        refresh_due_masters(clock=at_ist(8, day=16))
        assert not refresh_due_masters(clock=at_ist(7, 59))
        assert refresh_due_masters(clock=at_ist(8))

    def test_fetches_a_days_list_once(self, server: FileServer) -> None:
        refresh_due_masters(clock=at_ist(8))
        assert not refresh_due_masters(clock=at_ist(12))
        assert server.asked == 1

    def test_leaves_the_weekend_alone(self) -> None:
        refresh_due_masters(clock=at_ist(8, day=19))
        assert not refresh_due_masters(clock=at_ist(9, day=20))

    def test_tries_again_after_ten_minutes(self, server: FileServer) -> None:
        server.status = 503
        refresh_due_masters(clock=at_ist(8))
        assert not refresh_due_masters(clock=at_ist(8, 5))
        server.status = 200
        again = at_ist(8)() + TRY_AGAIN_AFTER
        assert [run.status for run in refresh_due_masters(clock=lambda: again)] == ["COMPLETED"]

    def test_passes_over_a_broker_without_the_login_it_needs(self) -> None:
        BrokerConnection.objects.update(broker_type="alpaca")
        assert not refresh_due_masters(clock=at_ist(20))


class TestTheCommand:
    def test_of_an_unknown_broker_fails_in_words(self) -> None:
        with pytest.raises(CommandError, match="nobody"):
            call_command("refresh_master", broker="nobody")

    def test_says_why_it_failed(self, server: FileServer) -> None:
        server.status = 404
        with pytest.raises(CommandError, match="HTTP 404"):
            call_command("refresh_master", broker="angel")

    def test_tells_what_it_did(self, server: FileServer) -> None:
        told = StringIO()
        call_command("refresh_master", broker="angel", stdout=told)
        assert "10 rows read, 10 new or changed" in told.getvalue()
        assert ImportRun.objects.get().options["is_whole"] is True

"""A database that was restored or copied sends nothing for real money before a person confirms."""

import json
import shutil
import sqlite3
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks as Capture
from pytest_django import Settings

from accounts.models import User
from brokers.rows import Listed, UnreadableRow
from brokers.terms import Product, Side
from notifications.models import Notification
from operations import installation
from operations.installation import NothingToConfirm, database_place, doubt_now
from operations.models import Installation, SystemLog
from orders.services.cancelling import cancel_order
from orders.services.reconciling import reconcile_account
from orders.services.stopping import sweep_stopped_entries
from orders.services.surplus import sweep_surplus_exits
from orders.states import OrderStatus
from risk.services import engage_kill_switch
from risk.services.confirming import NotConfirmed, confirm_database, note_pulse
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk
from tests.orders.live_desk import make_live_desk
from tests.orders.share_actions import follow, record
from tests.orders.test_surplus_exits import sell_outside, states, stop

pytestmark = pytest.mark.django_db
ELSEWHERE, BACK = "lies elsewhere", "knows less than it did"


@pytest.fixture
def pulses(settings: Settings, tmp_path: Path) -> Path:
    settings.INSTALLATION_FILE = str(tmp_path / "installation.json")
    return tmp_path / "installation.json"


@pytest.fixture
def desk(pulses: Path, settings: Settings) -> Desk:
    """A desk of real money that has traded here, with 10 held."""
    desk = make_live_desk(settings)
    desk.buy(10)
    note_pulse(now=desk.now)
    return desk


def copy(desk: Desk) -> None:
    """Make the database one that was restored elsewhere."""
    Installation.objects.update(place="7714335817577802205:1:16384")


def reconcile(desk: Desk) -> None:
    desk.now += timedelta(seconds=1)
    reconcile_account(desk.account, clock=desk.clock)
    desk.account.refresh_from_db()


class TestADatabaseThatTradedLast:
    def test_sends_live_orders(self, desk: Desk) -> None:
        assert desk.send(desk.place(limit="90.00")).state is OrderStatus.PLACED

    def test_cannot_be_confirmed(self, desk: Desk) -> None:
        with pytest.raises(NothingToConfirm):
            confirm_database(by=None, reason="Sure", now=desk.now)

    def test_whose_file_outside_was_lost_is_no_other(self, desk: Desk, pulses: Path) -> None:
        pulses.unlink(missing_ok=True)
        assert doubt_now() is None


class TestACopy:
    def test_refuses_live_entries_in_words(self, desk: Desk) -> None:
        copy(desk)
        order = desk.place(limit="90.00")
        assert order.state is OrderStatus.DENIED
        assert ELSEWHERE in order.error_message
        assert "operator confirms it" in order.error_message

    def test_does_not_send_an_entry_that_the_backup_held_unsent(self, desk: Desk) -> None:
        order = desk.place(limit="90.00")
        copy(desk)
        assert desk.send(order).state is OrderStatus.DENIED

    def test_lets_paper_go_on(self, pulses: Path) -> None:
        desk = make_desk()
        note_pulse(now=desk.now)
        copy(desk)
        assert desk.send(desk.place()).state is OrderStatus.PLACED

    def test_exits_only_once_the_account_agrees_with_its_broker(self, desk: Desk) -> None:
        copy(desk)
        note_pulse(now=desk.now)
        refused = desk.place(Side.SELL, 10)
        assert refused.state is OrderStatus.DENIED
        assert "exit in the broker's own app" in refused.error_message
        reconcile(desk)
        assert desk.send(desk.place(Side.SELL, 10)).state is OrderStatus.PLACED

    def test_cancels_what_a_person_asks_for_and_nothing_by_itself(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="90.00"))
        desk.trade("100.00")
        copy(desk)
        switch = engage_kill_switch(None, by=None, reason="drill", now=desk.now)
        assert (switch.cancelled.count, len(switch.cancelled.left)) == (0, 1)
        assert sweep_stopped_entries(now=desk.now) == 0
        cancel_order(order, by=desk.user, now=desk.now)
        desk.send(order)
        assert order.command_sent_at is not None

    def test_calls_off_no_exit_when_a_fill_is_heard_of_and_says_so_once(self, desk: Desk) -> None:
        kept = stop(desk, 10)
        copy(desk)
        sell_outside(desk, 10)
        assert [sweep_surplus_exits(now=desk.now) for _ in range(2)] == [0, 0]
        assert states(kept) == [OrderStatus.PLACED]
        (told,) = Notification.objects.filter(title__startswith="Exit not called off")
        assert "restored or copied" in told.message

    def test_calls_off_no_order_in_old_shares_and_says_so(self, desk: Desk) -> None:
        order = desk.send(desk.place(limit="90.00", product=Product.CNC))
        record(desk)
        copy(desk)
        follow(desk)
        assert states(order) == [OrderStatus.PLACED]
        (told,) = Notification.objects.filter(title__contains="could not be cancelled")
        assert "restored or copied" in told.title

    def test_still_withdraws_by_itself_what_has_not_left(self, desk: Desk) -> None:
        order = desk.place(limit="90.00")
        copy(desk)
        cancel_order(order, by=None, now=desk.now)
        assert states(order) == [OrderStatus.CANCELLED]

    def test_is_told_of_once(self, desk: Desk) -> None:
        copy(desk)
        for _ in range(3):
            note_pulse(now=desk.now)
        (told,) = Notification.objects.filter(title__startswith="Live entries wait")
        assert ELSEWHERE in told.message

    def test_stays_doubted_when_it_is_moved_back(self, desk: Desk) -> None:
        copy(desk)
        note_pulse(now=desk.now)
        Installation.objects.update(place=database_place())
        assert doubt_now() is not None


class TestADatabaseRestoredInPlace:
    def test_is_behind_the_pulse_of_the_last_live_order(
        self, desk: Desk, django_capture_on_commit_callbacks: Capture
    ) -> None:
        backup = Installation.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            desk.send(desk.place(limit="90.00"))
        assert doubt_now() is None
        Installation.objects.update(pulse=backup.pulse)
        found = doubt_now()
        assert found is not None
        assert BACK in found.words

    def test_is_not_mistaken_for_another_database_of_the_same_machine(
        self, desk: Desk, django_capture_on_commit_callbacks: Capture
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            note_pulse(now=desk.now)
        Installation.objects.update(identity=uuid4(), pulse=0)
        assert doubt_now() is None


class TestTheFileOutside:
    @pytest.mark.django_db(transaction=True)
    def test_that_cannot_be_written_holds_back_no_order(self, desk: Desk, pulses: Path) -> None:
        pulses.unlink()
        pulses.mkdir()
        order = desk.send(desk.place(Side.SELL, 10, limit="200.00"))
        assert order.state is OrderStatus.PLACED
        assert desk.send(order).events.filter(event_type="SUBMIT").count() == 1
        assert list(pulses.parent.iterdir()) == [pulses]

    @pytest.mark.django_db(transaction=True)
    def test_never_falls_back_to_an_earlier_pulse(self, desk: Desk, pulses: Path) -> None:
        identity = str(Installation.objects.get().identity)
        pulses.write_text(json.dumps({identity: 70}))
        Installation.objects.update(pulse=70)
        note_pulse(now=desk.now)
        installation._witness(UUID(identity), 70)
        assert json.loads(pulses.read_text()) == {identity: 71}

    @pytest.mark.parametrize("text", ["[]", "{", '{"pulse": 5}'])
    def test_in_other_words_is_no_witness(self, desk: Desk, pulses: Path, text: str) -> None:
        identity = Installation.objects.get().identity
        pulses.write_text(text.replace("pulse", str(identity)).replace("5", '"5"'))
        assert doubt_now() is None


class TestConfirming:
    @pytest.fixture
    def restored(self, desk: Desk) -> Desk:
        copy(desk)
        note_pulse(now=desk.now)
        return desk

    def operator(self, desk: Desk) -> User:
        desk.user.is_staff = True
        desk.user.save()
        return desk.user

    def test_is_refused_to_who_does_not_run_the_server(self, restored: Desk) -> None:
        reconcile(restored)
        with pytest.raises(PermissionDenied):
            confirm_database(by=restored.user, reason="Sure", now=restored.now)
        assert doubt_now() is not None

    def test_is_refused_before_the_accounts_agree(self, restored: Desk) -> None:
        with pytest.raises(NotConfirmed, match="Practice"):
            confirm_database(by=None, reason="Sure", now=restored.now)

    @pytest.mark.parametrize("instrument", ["NSE:RELIANCE", "NSE:TCS", ""])
    @pytest.mark.parametrize("kind", ["positions", "holdings", "trades"])
    def test_is_refused_while_something_could_not_be_compared(
        self, restored: Desk, kind: str, instrument: str
    ) -> None:
        row = UnreadableRow("netqty is no number: --", instrument_key=instrument)
        with answering(**{kind: Listed([], unreadable=[row])}):  # type: ignore[arg-type]  # by name
            reconcile(restored)
        with pytest.raises(NotConfirmed, match="Practice"):
            confirm_database(by=None, reason="Sure", now=restored.now)
        assert restored.place(Side.SELL, 10).state is OrderStatus.DENIED
        reconcile(restored)
        confirm_database(by=None, reason="Sure", now=restored.now)

    def test_is_refused_without_a_reason(self, restored: Desk) -> None:
        reconcile(restored)
        with pytest.raises(NotConfirmed, match="Say what you have checked"):
            confirm_database(by=None, reason=" ", now=restored.now)

    def test_lets_live_entries_leave_and_is_kept(self, restored: Desk) -> None:
        reconcile(restored)
        before = Installation.objects.get().identity
        confirm_database(by=self.operator(restored), reason="Old server is off", now=restored.now)
        row = Installation.objects.get()
        assert row.identity != before
        assert (row.confirmed_by, row.confirmed_reason) == (restored.user, "Old server is off")
        assert SystemLog.objects.filter(message__contains="Old server is off").exists()
        assert restored.send(restored.place(limit="90.00")).state is OrderStatus.PLACED

    def test_by_the_page_shows_what_waits_and_confirms(self, restored: Desk) -> None:
        reconcile(restored)
        client = Client()
        client.force_login(self.operator(restored))
        with time_machine.travel(restored.now, tick=False):
            assert ELSEWHERE in client.get("/risk/").content.decode()
            client.post("/risk/confirm-database/", {"reason": "Old server is off"})
        assert doubt_now() is None

    def test_by_the_command_says_what_waits_and_confirms(self, restored: Desk) -> None:
        out = StringIO()
        with time_machine.travel(restored.now, tick=False):
            call_command("confirm_database", stdout=out)
            assert "Does not agree with its broker yet: Practice" in out.getvalue()
            with pytest.raises(CommandError, match="Practice"):
                call_command("confirm_database", "--reason", "Sure")
        reconcile(restored)
        with time_machine.travel(restored.now, tick=False):
            call_command("confirm_database", "--reason", "Sure", stdout=out)
        assert doubt_now() is None


class TestWhereADatabaseLies:
    def test_tells_a_copied_file_from_its_original(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original, copied = tmp_path / "one.sqlite3", tmp_path / "two.sqlite3"
        sqlite3.connect(original).close()
        original.touch()
        shutil.copy(original, copied)
        places = []
        for path in (original, copied, original):
            monkeypatch.setattr(installation, "connection", FileConnection(path))
            places.append(database_place())
        assert places[0] == places[2] != places[1]

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own identity")
    def test_tells_a_database_from_another_of_its_server(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
            (number,) = cursor.fetchone()
        assert database_place().endswith(f":{number}")


class FileConnection:
    """As much of a connection to a SQLite file as its place is read from."""

    vendor = "sqlite"

    def __init__(self, path: Path) -> None:
        self.settings_dict = {"NAME": str(path)}

"""What brokers post: taken once, never believed, looked after, and never more than a hint."""

import hashlib
import json
import time
from datetime import timedelta

import pytest
from django.test import Client

from brokers.models import BrokerConnection, ConnectionStatus, PostbackEvent, TradingAccount
from brokers.postbacks import LARGEST_BODY, open_postbacks
from orders.services.postbacks import left_behind, process_postback
from orders.services.reconciling import reconcile_due
from tests.builders import NOW, make_user, make_workspace
from tests.orders.broken_lines import answering
from tests.orders.desk import Desk, make_desk

SECRET = "kite secret"


@pytest.fixture
def connection(db: None) -> BrokerConnection:
    user = make_user("meera")
    made = BrokerConnection(
        workspace=make_workspace(user, "Her desk"),
        user=user,
        broker_type="kite",
        alias="Zerodha",
        paper_trading=False,
        status=ConnectionStatus.CONNECTED,
    )
    made.seal_credentials({"api_key": "key", "api_secret": SECRET})
    made.save()
    return made


@pytest.fixture
def path(connection: BrokerConnection) -> str:
    return "/" + open_postbacks(connection).webhook_url.split("/", 3)[3]


def body(order: str = "151220000000000", *, secret: str = SECRET, **fields: str) -> str:
    at = "2026-06-17 10:30:00"
    signed = hashlib.sha256(f"{order}{at}{secret}".encode()).hexdigest()
    told = {"order_id": order, "order_timestamp": at, "status": "COMPLETE", "checksum": signed}
    return json.dumps({**told, **fields})


def post(path: str, text: str) -> int:
    strict = Client(enforce_csrf_checks=True)
    return strict.post(path, text, content_type="application/json").status_code


def sweep(desk: Desk) -> None:
    for event_id in left_behind(now=desk.now):
        process_postback(event_id, clock=desk.clock)


class TestRefused:
    def test_at_an_address_that_nobody_gave_out(self, path: str) -> None:
        wrong = path.rstrip("/")[:-1] + ("0" if path.rstrip("/")[-1] != "0" else "1") + "/"
        assert post(wrong, body()) == 403
        assert not PostbackEvent.objects.exists()

    def test_with_a_false_signature_and_written_down(self, path: str) -> None:
        assert post(path, body(secret="guess")) == 403
        event = PostbackEvent.objects.get()
        assert (event.signature_valid, event.processing_status) == (False, "FAILED")

    def test_when_it_is_too_large(self, path: str) -> None:
        assert post(path, body(note="x" * LARGEST_BODY)) == 413

    @pytest.mark.parametrize("text", ["", "no json", "[]", '{"order_id": ""}', "[" * 5000])
    def test_when_it_is_no_order(self, path: str, text: str) -> None:
        assert post(path, text) == 400

    @pytest.mark.parametrize("order", ["15\x0012", "15\ud800"])
    def test_when_its_order_is_written_in_no_characters(self, path: str, order: str) -> None:
        text = body().replace("151220000000000", json.dumps(order)[1:-1])
        assert post(path, text) == 400
        assert not PostbackEvent.objects.exists()

    def test_when_it_is_read_and_not_posted(self, path: str) -> None:
        assert Client().get(path).status_code == 405


class TestTaken:
    def test_without_sign_in_and_at_once(self, path: str) -> None:
        began = time.monotonic()
        assert post(path, body()) == 200
        assert time.monotonic() - began < 1

    def test_once_however_often_it_comes(self, path: str) -> None:
        assert [post(path, body()) for _ in range(3)] == [200, 200, 200]
        assert PostbackEvent.objects.count() == 1

    def test_with_what_a_database_refuses(self, path: str) -> None:
        text = body(status_message="a\x00b").replace("}", ', "x": NaN}')
        assert post(path, text) == 200
        assert PostbackEvent.objects.get().payload["body"]["x"] == "NaN"


class TestLookedAfter:
    @pytest.fixture
    def desk(self, connection: BrokerConnection) -> Desk:
        """A desk whose account is reached by the posting connection, traded on paper."""
        desk = make_desk()
        paper = desk.account.connection
        book = TradingAccount.objects.get(pk=desk.account.pk)
        BrokerConnection.objects.filter(pk=paper.pk).update(broker_type="kite")
        config = open_postbacks(BrokerConnection.objects.get(pk=paper.pk))
        BrokerConnection.objects.filter(pk=paper.pk).update(broker_type="paper")
        assert config.connection_id == book.connection_id
        return desk

    def _event(self, desk: Desk, number: int = 1) -> PostbackEvent:
        config = desk.account.connection.postback_configs.get()
        event = PostbackEvent.objects.create(
            config=config, event_type="COMPLETE", body_hash=f"{number:064}"
        )
        PostbackEvent.objects.filter(pk=event.pk).update(received_at=desk.now)
        return event

    def test_by_reading_the_brokers_book(self, desk: Desk) -> None:
        TradingAccount.objects.filter(pk=desk.account.pk).update(reconciled_at=None)
        event = self._event(desk)
        process_postback(event.pk, clock=desk.clock)
        event.refresh_from_db()
        desk.account.refresh_from_db()
        assert (event.processing_status, desk.account.reconciled_at) == ("PROCESSED", NOW)

    def test_all_at_once_when_many_came(self, desk: Desk) -> None:
        events = [self._event(desk, number) for number in range(3)]
        process_postback(events[0].pk, clock=desk.clock)
        assert set(PostbackEvent.objects.values_list("processing_status")) == {("PROCESSED",)}

    def test_by_the_next_sweep_when_another_worker_reads_the_book(self, desk: Desk) -> None:
        event = self._event(desk)
        reads: list[str] = []

        def meanwhile() -> list[object]:
            reads.append("orders")
            if len(reads) == 1:
                process_postback(event.pk, clock=desk.clock)
            return []

        with answering(orders=meanwhile):
            reconcile_due(desk.account.pk, clock=desk.clock)
        event.refresh_from_db()
        assert (event.processing_status, reads) == ("RECEIVED", ["orders"])
        desk.now += timedelta(seconds=61)
        sweep(desk)
        event.refresh_from_db()
        assert event.processing_status == "PROCESSED"

    def test_once_for_each_connection_by_the_sweep(self, desk: Desk) -> None:
        events = [self._event(desk, number) for number in range(3)]
        desk.now += timedelta(seconds=61)
        assert left_behind(now=desk.now) == [events[0].pk]

    def test_by_the_sweep_when_the_nudge_was_lost(self, desk: Desk) -> None:
        self._event(desk)
        sweep(desk)
        assert PostbackEvent.objects.get().processing_status == "RECEIVED"
        desk.now += timedelta(seconds=61)
        sweep(desk)
        assert PostbackEvent.objects.get().processing_status == "PROCESSED"

    def test_again_when_the_book_could_not_be_read(self, desk: Desk) -> None:
        event = self._event(desk)
        BrokerConnection.objects.filter(pk=desk.account.connection_id).update(broker_type="kite")
        process_postback(event.pk, clock=desk.clock)
        event.refresh_from_db()
        assert event.processing_status == "RECEIVED"
        desk.now += timedelta(days=1, seconds=1)
        sweep(desk)
        assert PostbackEvent.objects.get().processing_status == "FAILED"

from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Role
from brokers.models import BrokerConnection
from market.importing.running import run_import
from market.models import BrokerInstrument, Candle, ImportKind, ImportRun, ImportStatus
from market.services import Starter, start_import
from tests.builders import NOW, make_instrument
from tests.market.files import KITE, KITE_OPTION, KITE_SHARE, import_text
from tests.orders.desk import Desk
from tests.pages.desks import client_of, client_of_stranger, client_with_role, csv_rows

URL = "/imports/"
PRICES = (
    b"date,open,high,low,close,volume\n"
    b"2026-06-15,100,105,99,104,1000\n"
    b"2026-06-16,104,103,102,101,900\n"
)


@pytest.fixture(autouse=True)
def files(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(desk: Desk, content: bytes = PRICES, **said: str) -> ImportRun:
    file = SimpleUploadedFile("INFY.csv", content)
    client_of(desk).post(f"{URL}start/", {"file": file, **said})
    return ImportRun.objects.get()


def read(run: ImportRun) -> ImportRun:
    def clock() -> datetime:
        return timezone.now()

    return run_import(run.pk, clock=clock)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """The house's operator at a desk of their own."""
    desk.user.is_staff = True
    desk.user.save()
    return desk


class TestStartImport:
    def test_is_refused_to_who_merely_owns_a_desk(self, desk: Desk) -> None:
        file = SimpleUploadedFile("INFY.csv", PRICES)
        answer = client_of_stranger().post(f"{URL}start/", {"file": file})
        assert answer.status_code == 403
        assert not ImportRun.objects.exists()

    def test_is_refused_to_a_trader(self, desk: Desk) -> None:
        trader = client_with_role(desk.account.workspace, Role.TRADER)
        file = SimpleUploadedFile("INFY.csv", PRICES)
        assert trader.post(f"{URL}start/", {"file": file}).status_code == 403
        assert not ImportRun.objects.exists()

    def test_tells_the_kind_by_the_file_itself(self, desk: Desk) -> None:
        run = send(desk)
        assert (run.kind, run.status) == (ImportKind.OHLCV, ImportStatus.QUEUED)

    def test_passes_on_what_was_said_of_the_file(self, desk: Desk) -> None:
        run = send(desk, symbol="NSE:INFY", interval="1d", column_close="close")
        assert run.options == {
            "symbol": "NSE:INFY",
            "interval": "1d",
            "columns": {"close": "close"},
        }

    @pytest.mark.parametrize("content", [b"hello\nworld\n", b"\x00\x01\x02", b"{}", b"[]"])
    def test_says_beside_the_field_what_is_wrong(self, desk: Desk, content: bytes) -> None:
        file = SimpleUploadedFile("x.csv", content)
        page = client_of(desk).post(f"{URL}start/", {"file": file})
        assert "file" in page.context["form"].errors
        assert not ImportRun.objects.exists()

    def test_needs_a_file(self, desk: Desk) -> None:
        page = client_of(desk).post(f"{URL}start/", {})
        assert "file" in page.context["form"].errors


class TestImportPages:
    def test_say_who_may_import_where_the_form_would_be(self, desk: Desk) -> None:
        page = client_of_stranger().get(URL).content
        assert b"the house" in page
        assert b'type="file"' not in page

    def test_say_what_to_do_while_there_is_none(self, desk: Desk) -> None:
        assert b"Nothing imported yet" in client_of(desk).get(URL).content

    def test_are_not_there_for_a_stranger(self, desk: Desk) -> None:
        run = send(desk)
        stranger = client_of_stranger()
        assert stranger.get(f"{URL}{run.pk}/").status_code == 404
        assert stranger.get(f"{URL}{run.pk}/issues/").status_code == 404
        assert not list(stranger.get(URL).context["listing"])

    def test_ask_again_by_themselves_only_while_it_runs(self, desk: Desk) -> None:
        run, client = send(desk, symbol="NSE:INFY", interval="1d"), client_of(desk)
        assert b"every 1s" in client.get(f"{URL}{run.pk}/part/").content
        make_instrument("NSE:INFY")
        read(run)
        assert b"every 1s" not in client.get(f"{URL}{run.pk}/part/").content

    def test_list_the_lines_left_out_with_the_reason(self, desk: Desk) -> None:
        make_instrument("NSE:INFY")
        run = read(send(desk, symbol="NSE:INFY", interval="1d"))
        (issue,) = client_of(desk).get(f"{URL}{run.pk}/").context["listing"]
        assert (run.rows_written, issue.line) == (1, 3)

    def test_export_the_lines_left_out(self, desk: Desk) -> None:
        make_instrument("NSE:INFY")
        run = read(send(desk, symbol="NSE:INFY", interval="1d"))
        _, row = csv_rows(client_of(desk).get(f"{URL}{run.pk}/issues/"))
        assert row[0] == "3"

    @pytest.mark.parametrize(
        ("query", "shown"), [("status=QUEUED", 1), ("status=FAILED", 0), ("kind=kite_master", 0)]
    )
    def test_are_narrowed_by_their_filters(self, desk: Desk, query: str, shown: int) -> None:
        send(desk)
        assert len(list(client_of(desk).get(f"{URL}?{query}").context["listing"])) == shown


class TestInstrumentLists:
    @pytest.fixture(autouse=True)
    def _connected(self, desk: Desk) -> None:
        BrokerConnection.objects.create(
            workspace=desk.account.workspace, user=desk.user, broker_type="angel", alias="Angel"
        )

    def test_are_not_fetched_for_who_merely_owns_a_desk(self, desk: Desk) -> None:
        url = f"{URL}lists/angel/refresh/"
        assert client_of_stranger().post(url).status_code == 403

    def test_of_no_broker_are_not_found(self, desk: Desk) -> None:
        assert client_of(desk).post(f"{URL}lists/paper/refresh/").status_code == 404

    def test_say_that_entries_wait(self, desk: Desk) -> None:
        page = client_of(desk).get(URL).content.decode()
        assert "Angel One" in page
        assert "never fetched" in page
        assert "Entries wait" in page

    def test_are_asked_for(self, desk: Desk) -> None:
        answer = client_of(desk).post(f"{URL}lists/angel/refresh/", follow=True)
        assert "The list is being fetched" in answer.content.decode()


class TestRowsOutsideSessions:
    def test_are_counted_by_day_beside_the_way_to_mend_it(self, desk: Desk) -> None:
        run = read(send(desk))
        ImportRun.objects.update(rows_outside={"2026-06-13": 2, "2026-06-14": 1})

        page = client_of(desk).get(f"{URL}{run.pk}/").content.decode()

        assert "13 Jun 2026 <b>2</b>" in page
        assert 'href="/calendar/"' in page


class TestAQuestion:
    DOUBTFUL = b"Date,Open,High,Low,Close\n03/02/2026,1,2,1,2\n04/02/2026,2,3,2,3\n"

    def test_is_shown_with_its_answers_and_sample_rows(self, desk: Desk) -> None:
        run = read(send(desk, self.DOUBTFUL))
        page = client_of(desk).get(f"{URL}{run.pk}/").content.decode()
        assert "Is the day or the month first" in page
        assert "line 2: 03/02/2026" in page
        assert "Month first: 03/02/2026 is 2 Mar 2026" in page

    def test_is_answered(self, desk: Desk) -> None:
        run = read(send(desk, self.DOUBTFUL))
        client_of(desk).post(f"{URL}{run.pk}/answer/", {"choice": "day_first"})
        assert read(run).rows_written == 2

    def test_is_not_answered_by_who_merely_owns_a_desk(self, desk: Desk) -> None:
        run = read(send(desk, self.DOUBTFUL))
        desk.user.is_staff = False
        desk.user.save()
        for deed in ("answer", "cancel", "delist", "undo"):
            answer = client_of(desk).post(f"{URL}{run.pk}/{deed}/", {"choice": "day_first"})
            assert answer.status_code == 403

    def test_is_given_beforehand(self, desk: Desk) -> None:
        assert read(send(desk, self.DOUBTFUL, dates="month_first")).status == "COMPLETED"

    def test_is_given_up(self, desk: Desk) -> None:
        run = read(send(desk, self.DOUBTFUL))
        client_of(desk).post(f"{URL}{run.pk}/cancel/")
        run.refresh_from_db()
        assert run.status == ImportStatus.FAILED


class TestUndo:
    def test_puts_everything_back(self, desk: Desk) -> None:
        run = read(send(desk, interval="1d"))
        client_of(desk).post(f"{URL}{run.pk}/undo/")
        run.refresh_from_db()
        assert (run.status, Candle.objects.count()) == (ImportStatus.UNDONE, 0)

    def test_is_not_offered_for_what_wrote_nothing(self, desk: Desk) -> None:
        run = read(send(desk, b"words,open,high,low,close\n1,2,3,4,5\n", kind="ohlcv"))
        assert "Undo this import" not in client_of(desk).get(f"{URL}{run.pk}/").content.decode()


class TestMissingInstruments:
    def test_are_delisted_by_a_person(self, desk: Desk) -> None:
        more = "".join(KITE_SHARE.replace("738561,2885,REL", f"{n},1,R{n}") for n in (7, 8, 9))
        import_text(KITE + more, at=NOW)
        workspace = desk.account.workspace
        file = ContentFile((KITE + more).replace(KITE_OPTION, "").encode(), name="kite.csv")
        run = read(start_import(file, kind=None, by=Starter(workspace, desk.user), now=NOW))
        page = client_of(desk).get(f"{URL}{run.pk}/").content.decode()
        assert run.status == "COMPLETED", run.error_message
        assert "1 instrument of the last list is missing from this one" in page
        client_of(desk).post(f"{URL}{run.pk}/delist/")
        assert BrokerInstrument.objects.filter(is_listed=False).count() == 1

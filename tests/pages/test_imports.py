from datetime import datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Role
from market.importing.running import run_import
from market.models import ImportKind, ImportRun, ImportStatus
from tests.builders import make_instrument
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


class TestStartImport:
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

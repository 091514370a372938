from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from operations.audit import AuditBroken, Deed, append, last_hash, let_go, verify
from operations.ids import new_id
from operations.models import AuditChain, RequestLog
from tests.builders import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db


def deed(number: int = 0, **fields: object) -> Deed:
    values: dict[str, Any] = {
        "event_type": "orders:new",
        "request_id": new_id(),
        "client_ip": "192.0.2.1",
        "user_agent": "Firefox",
        "path": f"/orders/{number}/",
        "method": "POST",
        "user_id": None,
        "status_code": 302,
        "processing_time_ms": Decimal("12.34567"),
        "success": True,
        "error_message": "",
        "created_at": NOW + timedelta(minutes=number),
    }
    return Deed(**values | fields)


def write(count: int) -> list[int]:
    return [append(deed(number)).pk for number in range(count)]


class TestVerify:
    def test_names_the_row_that_was_changed(self) -> None:
        rows = write(5)
        RequestLog.objects.filter(pk=rows[2]).update(path="/orders/other/")
        with pytest.raises(AuditBroken, match=f"Row {rows[2]} was changed"):
            verify()

    @pytest.mark.parametrize(
        "change",
        [
            {"status_code": 200},
            {"success": False},
            {"client_ip": None},
            {"processing_time_ms": Decimal("12.345")},
            {"created_at": NOW + timedelta(microseconds=1)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_covers_every_column(self, change: dict[str, object]) -> None:
        [row] = write(1)
        RequestLog.objects.filter(pk=row).update(**change)
        with pytest.raises(AuditBroken):
            verify()

    def test_names_the_row_after_one_that_was_deleted(self) -> None:
        rows = write(5)
        RequestLog.objects.filter(pk=rows[2]).delete()
        with pytest.raises(AuditBroken, match=f"Row {rows[3]} does not follow"):
            verify()

    def test_names_a_row_that_was_put_elsewhere(self) -> None:
        rows = write(3)
        RequestLog.objects.filter(pk=rows[0]).update(id=rows[2] + 1)
        with pytest.raises(AuditBroken, match=f"Row {rows[1]} does not follow"):
            verify()

    def test_misses_rows_that_were_cut_off_at_the_end(self) -> None:
        rows = write(3)
        RequestLog.objects.filter(pk=rows[2]).delete()
        with pytest.raises(AuditBroken, match="at the end"):
            verify()

    def test_misses_the_anchor_when_all_was_written_anew(self) -> None:
        write(3)
        anchor = last_hash()
        RequestLog.objects.all().delete()
        AuditChain.objects.all().delete()
        write(3)
        assert verify() == 3
        with pytest.raises(AuditBroken, match="anchor"):
            verify(anchor=anchor)

    def test_finds_an_anchor_inside_a_chain_that_went_on(self) -> None:
        write(2)
        anchor = last_hash()
        write(2)
        assert verify(anchor=anchor) == 4

    def test_is_content_with_an_empty_log(self) -> None:
        assert verify() == 0

    def test_command_fails_naming_the_row(self) -> None:
        rows = write(2)
        RequestLog.objects.filter(pk=rows[0]).update(method="GET")
        with pytest.raises(CommandError, match=f"Row {rows[0]}"):
            call_command("verify_audit")


class TestLetGo:
    def test_leaves_a_rest_that_still_verifies(self) -> None:
        write(5)
        assert let_go(before=NOW + timedelta(minutes=3)) == 3
        assert verify() == 2

    def test_keeps_an_old_row_behind_a_young_one(self) -> None:
        append(deed(5))
        append(deed(0))
        assert let_go(before=NOW + timedelta(minutes=3)) == 0

    def test_of_everything_lets_the_chain_go_on(self) -> None:
        write(2)
        let_go(before=NOW + timedelta(days=1))
        write(1)
        assert verify() == 1


class TestAnyWords(TestCase):
    @given(
        words=st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=60),
        number=st.integers(0, 10**6),
    )
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_survive_the_database_unchanged(self, words: str, number: int) -> None:
        time = Decimal(number) / 7
        append(deed(user_agent=words, path=words, processing_time_ms=time))
        verify()


class TestRequestLog:
    @pytest.fixture
    def user(self) -> User:
        user = make_user()
        make_workspace(user)
        return user

    def test_leaves_out_what_is_only_looked_at(self, client: Client) -> None:
        client.get("/accounts/login/")
        assert not RequestLog.objects.exists()

    def test_tells_a_failed_sign_in_from_a_good_one(self, client: Client, user: User) -> None:
        for password in ("not the one 1", "long enough 1"):
            client.post("/accounts/login/", {"login": "asha", "password": password})
        rows = RequestLog.objects.order_by("pk").values_list("event_type", "success", "user")
        assert list(rows) == [("account_login", False, None), ("account_login", True, user.pk)]

    def test_knows_who_signed_out(self, client: Client, user: User) -> None:
        client.force_login(user)
        client.post("/accounts/logout/")
        assert RequestLog.objects.get().user == user

    def test_keeps_a_request_to_nowhere_as_a_failure(self, client: Client, user: User) -> None:
        client.force_login(user)
        answer = client.post("/nowhere/")
        row = RequestLog.objects.get()
        assert (row.success, row.status_code, row.event_type) == (False, 404, "unresolved")
        assert answer.headers["X-Request-ID"] == str(row.request_id)

    def test_never_holds_what_was_sent(self, client: Client) -> None:
        client.post("/accounts/login/?next=/x", {"login": "asha", "password": "canary-77aa"})
        assert "canary-77aa" not in str(RequestLog.objects.values().get())

    def test_is_one_chain(self, client: Client, user: User) -> None:
        client.force_login(user)
        for _ in range(3):
            client.post("/accounts/theme/", {"theme": "dark"})
        assert verify() == 3

    def test_does_not_believe_a_forwarded_address(self, client: Client) -> None:
        client.post("/accounts/logout/", headers={"X-Forwarded-For": "203.0.113.9"})
        assert RequestLog.objects.get().client_ip == "127.0.0.1"

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User, UserSession, UserStatus
from accounts.services import set_user_status
from accounts.sessions import digest, open_sessions, revoke_session, revoke_sessions
from tests.builders import make_user, make_workspace

pytestmark = pytest.mark.django_db

# A page that needs a sign-in and nothing else.
PAGE = "/accounts/password/change/"


@pytest.fixture
def user() -> User:
    user = make_user()
    make_workspace(user)
    return user


@pytest.fixture
def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def is_let_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


class TestSession:
    def test_is_kept_as_a_digest_only(self, signed_in: Client) -> None:
        row = UserSession.objects.get()
        assert row.session_key_hash == digest(signed_in.session.session_key or "")
        assert str(signed_in.session.session_key) not in str(row.__dict__)

    def test_ends_at_the_next_request_when_the_person_is_blocked(
        self, signed_in: Client, user: User
    ) -> None:
        User.objects.filter(pk=user.pk).update(status=UserStatus.BLOCKED)
        assert not is_let_in(signed_in)
        assert UserSession.objects.get().ended_at

    def test_ends_at_the_next_request_when_access_ran_out(
        self, signed_in: Client, user: User
    ) -> None:
        User.objects.filter(pk=user.pk).update(access_until=timezone.now())
        assert not is_let_in(signed_in)

    def test_does_not_come_back_when_the_person_does(self, signed_in: Client, user: User) -> None:
        set_user_status(user, status=UserStatus.BLOCKED, by=user, now=timezone.now())
        set_user_status(user, status=UserStatus.ACTIVE, by=user, now=timezone.now())
        assert not is_let_in(signed_in)

    def test_ends_at_the_next_request_when_it_was_revoked(self, signed_in: Client) -> None:
        revoke_session(UserSession.objects.get(), now=timezone.now())
        assert not is_let_in(signed_in)

    def test_ends_when_its_time_is_over(self, signed_in: Client) -> None:
        UserSession.objects.update(expires_at=timezone.now())
        assert not is_let_in(signed_in)

    def test_ends_when_its_row_is_gone(self, signed_in: Client) -> None:
        UserSession.objects.all().delete()
        assert not is_let_in(signed_in)

    def test_is_not_opened_by_the_row_of_another(self, signed_in: Client) -> None:
        UserSession.objects.update(user=make_user("ravi"))
        assert not is_let_in(signed_in)

    def test_tells_htmx_to_load_the_sign_in_page_whole(self, signed_in: Client) -> None:
        UserSession.objects.all().delete()
        answer = signed_in.get(PAGE, headers={"HX-Request": "true"})
        assert answer.headers["HX-Redirect"] == "/accounts/login/"

    def test_ends_with_the_sign_out(self, signed_in: Client) -> None:
        signed_in.post("/accounts/logout/")
        assert UserSession.objects.get().ended_at

    def test_is_not_ended_by_looking_at_the_sign_out_page(self, signed_in: Client) -> None:
        signed_in.get("/accounts/logout/")
        assert is_let_in(signed_in)

    def test_outlives_a_new_session_key(self, signed_in: Client) -> None:
        session = signed_in.session
        session.cycle_key()
        session.save()
        signed_in.cookies["sessionid"] = str(session.session_key)
        assert is_let_in(signed_in)
        assert UserSession.objects.get().session_key_hash == digest(session.session_key or "")


class TestOpenSessions:
    def test_leave_out_the_ended_and_the_expired(self, user: User) -> None:
        now = timezone.now()
        for name, ends, ended in (
            ("open", now + timedelta(hours=1), None),
            ("expired", now, None),
            ("ended", now + timedelta(hours=1), now),
        ):
            UserSession.objects.create(
                user=user, session_key_hash=name, expires_at=ends, ended_at=ended
            )
        assert [row.session_key_hash for row in open_sessions(user, now=now)] == ["open"]

    def test_can_be_ended_all_but_the_one_in_use(self, user: User) -> None:
        here, there = Client(), Client()
        here.force_login(user)
        there.force_login(user)
        revoke_sessions(user, now=timezone.now(), keep=here.session["user_session_id"])
        assert is_let_in(here)
        assert not is_let_in(there)

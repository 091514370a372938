import re
from datetime import timedelta
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.hashers import make_password
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership, Role, User, UserSession, UserStatus, Workspace
from operations.models import SystemLog
from tests.builders import make_user, make_workspace

PASSWORD = "long enough 1"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def sign_in(client: Client, login: str, password: str = PASSWORD) -> bool:
    client.post("/accounts/login/", {"login": login, "password": password})
    return "_auth_user_id" in client.session


def sign_up(client: Client, **fields: str) -> None:
    password = fields.pop("password", "blue kettle 47")
    client.post(
        "/accounts/signup/",
        {
            "username": "asha",
            "email": "asha@example.com",
            "password1": password,
            "password2": password,
            **fields,
        },
    )


@pytest.fixture(autouse=True)
def open_door(settings: Settings) -> None:
    settings.SIGN_UP_OPEN = True


class TestSignUp:
    @pytest.mark.parametrize(
        "password",
        ["short 1", "password123", "1234567890", "asha@example.com", ""],
        ids=["too short", "common", "digits", "like the user", "empty"],
    )
    def test_refuses_a_weak_password(self, client: Client, password: str) -> None:
        sign_up(client, password=password)
        assert not User.objects.exists()

    def test_refuses_an_email_that_is_taken(self, client: Client) -> None:
        make_user("ravi")
        sign_up(client, email="ravi@example.com")
        assert User.objects.count() == 1

    def test_refuses_a_nul_in_the_password(self, client: Client) -> None:
        sign_up(client, password="blue kettle\x0047")
        assert not User.objects.exists()

    def test_is_closed_when_the_operator_says_so(self, client: Client, settings: Settings) -> None:
        settings.SIGN_UP_OPEN = False
        sign_up(client)
        assert not User.objects.exists()

    def test_is_open_to_the_first_person_alone_unless_the_operator_says_so(
        self, client: Client, settings: Settings
    ) -> None:
        settings.SIGN_UP_OPEN = None
        sign_up(client)
        client.logout()
        sign_up(client, username="ravi", email="ravi@example.com")
        assert User.objects.get().username == "asha"

    @pytest.mark.parametrize("password", ["x7 " * 22, "ключ 🗝️ на столе", "q1 " * 333])
    def test_takes_long_and_foreign_passwords_whole(self, client: Client, password: str) -> None:
        password = password.strip()
        sign_up(client, password=password)
        assert User.objects.get().check_password(password)
        assert not User.objects.get().check_password(password[:-1])

    def test_makes_the_person_owner_of_a_desk(self, client: Client) -> None:
        sign_up(client)
        membership = Membership.objects.get(user__username="asha")
        assert membership.role == Role.OWNER
        assert membership.workspace.owner == membership.user

    def test_keeps_the_password_as_argon2id(self, client: Client) -> None:
        sign_up(client)
        assert User.objects.get().password.startswith("argon2$argon2id$")


class TestSignIn:
    def test_refuses_a_wrong_password(self, client: Client) -> None:
        make_user()
        assert not sign_in(client, "asha", "long enough 2")

    @pytest.mark.parametrize(
        "fields",
        [
            {"status": UserStatus.BLOCKED},
            {"status": UserStatus.INACTIVE},
            {"is_active": False},
            {"access_until": timezone.now() - timedelta(seconds=1)},
        ],
        ids=["blocked", "inactive", "switched off", "access ended"],
    )
    def test_refuses_a_person_who_may_not_act(self, client: Client, fields: dict[str, Any]) -> None:
        make_user(**fields)
        assert not sign_in(client, "asha")

    def test_answers_a_stranger_and_a_wrong_password_alike(self, client: Client) -> None:
        make_user()
        answers = [
            client.post("/accounts/login/", {"login": login, "password": "not the one 1"})
            for login in ("asha", "nobody")
        ]
        known, unknown = (
            re.sub(r'value="[^"]*"', "", answer.content.decode()) for answer in answers
        )
        assert known == unknown

    def test_is_refused_for_a_while_after_five_failures(self, client: Client) -> None:
        make_user()
        for _ in range(5):
            sign_in(client, "asha", "not the one 1")
        assert not sign_in(client, "asha")

    def test_failure_is_logged_without_what_was_typed(self, client: Client) -> None:
        sign_in(client, "my-secret-typed-as-a-name", "not the one 1")
        assert SystemLog.objects.get().message == "Sign-in failed from 127.0.0.1"

    @pytest.mark.parametrize("login", ["asha", "asha@example.com"])
    def test_takes_the_name_or_the_email(self, client: Client, login: str) -> None:
        make_workspace(make_user())
        assert sign_in(client, login)

    def test_opens_a_desk_for_a_person_who_has_none(self, client: Client) -> None:
        user = make_user()
        sign_in(client, "asha")
        assert Workspace.objects.visible_to(user).count() == 1

    @pytest.mark.parametrize("form", ["{}", "bcrypt${}"], ids=["bare", "with its algorithm"])
    def test_takes_a_bcrypt_hash_and_replaces_it(self, client: Client, form: str) -> None:
        brought = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        user = make_user()
        User.objects.filter(pk=user.pk).update(password=form.format(brought))
        assert sign_in(client, "asha")
        user.refresh_from_db()
        assert user.password.startswith("argon2$")

    def test_does_not_break_on_a_long_password_against_bcrypt(self, client: Client) -> None:
        brought = make_password("other one 12", hasher="bcrypt")
        User.objects.filter(pk=make_user().pk).update(password=brought)
        assert not sign_in(client, "asha", "x" * 1000)


class TestResetPassword:
    def test_says_the_same_whether_the_address_is_known_or_not(self, client: Client) -> None:
        make_user()
        answers = {
            client.post("/accounts/password/reset/", {"email": email}).headers["Location"]
            for email in ("asha@example.com", "nobody@example.com")
        }
        assert len(answers) == 1

    def test_ends_the_sessions_that_were_open(self, client: Client) -> None:
        user = make_user()
        make_workspace(user)
        elsewhere = Client()
        elsewhere.force_login(user)
        client.post("/accounts/password/reset/", {"email": user.email})
        link = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
        assert link
        form = client.get(link.group(), follow=True)
        passwords = {"password1": "blue kettle 47", "password2": "blue kettle 47"}
        client.post(form.request["PATH_INFO"], passwords)
        assert UserSession.objects.get(pk=elsewhere.session["user_session_id"]).ended_at
        assert sign_in(Client(), "asha", "blue kettle 47")

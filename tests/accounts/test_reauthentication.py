"""A stolen session cannot take the account: what matters asks for the password again."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.builders import PASSWORD, make_user, make_workspace

pytestmark = pytest.mark.django_db
PASSWORD_PAGE = "/accounts/reauthenticate/"
EMAIL = "/accounts/email/"


@pytest.fixture
def owner() -> User:
    user = make_user()
    make_workspace(user)
    return user


@pytest.fixture
def old_session(client: Client, owner: User) -> Client:
    """A browser that its person signed in with sixteen minutes ago."""
    with time_machine.travel(timezone.now() - timedelta(minutes=16), tick=False):
        client.force_login(owner)
    return client


def give_password(client: Client, next_page: str) -> str:
    """Give the password on its page; return where that leads."""
    answer = client.post(PASSWORD_PAGE, {"password": PASSWORD, "next": next_page})
    assert answer.status_code == 302, answer.content
    return answer.headers["Location"]


class TestAnOldSession:
    @pytest.mark.parametrize(
        "page",
        [
            EMAIL,
            reverse("brokers:connect", args=["angel"]),
            reverse("admin:index"),
        ],
    )
    def test_gives_the_password_before_the_page_opens(
        self, old_session: Client, owner: User, page: str
    ) -> None:
        User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
        answer = old_session.get(page)
        assert answer.headers["Location"].startswith(PASSWORD_PAGE)
        assert give_password(old_session, page) == page
        assert old_session.get(page).status_code == 200

    def test_changes_nothing_by_a_form_that_was_open_too_long(
        self, old_session: Client, owner: User
    ) -> None:
        page = f"http://testserver{EMAIL}"
        answer = old_session.post(
            EMAIL, {"action_add": "", "email": "thief@example.com"}, headers={"referer": page}
        )
        assert answer.headers["Location"].startswith(PASSWORD_PAGE)
        assert not EmailAddress.objects.filter(user=owner, email="thief@example.com").exists()
        assert mail.outbox == []

    def test_leads_a_part_of_a_page_there_as_a_whole(self, old_session: Client) -> None:
        answer = old_session.post(EMAIL, headers={"hx-request": "true"})
        assert answer.headers["HX-Redirect"].startswith(PASSWORD_PAGE)

    def test_is_refused_a_wrong_password(self, old_session: Client) -> None:
        answer = old_session.post(PASSWORD_PAGE, {"password": "guessed wrong 1", "next": EMAIL})
        assert answer.status_code == 200
        assert old_session.get(EMAIL).status_code == 302

    def test_still_reads_every_other_page(self, old_session: Client) -> None:
        assert old_session.get("/").status_code == 200


class TestAnotherAddress:
    @pytest.fixture
    def signed_in(self, client: Client, owner: User) -> Client:
        client.force_login(owner)
        return client

    def add(self, client: Client, email: str) -> None:
        client.post(EMAIL, {"action_add": "", "email": email})

    def test_is_not_the_persons_before_it_is_confirmed(
        self, signed_in: Client, owner: User
    ) -> None:
        self.add(signed_in, "new@example.com")
        signed_in.post(EMAIL, {"action_primary": "", "email": "new@example.com"})
        owner.refresh_from_db()
        assert owner.email == "asha@example.com"

    def test_gets_no_new_password_before_it_is_confirmed(self, signed_in: Client) -> None:
        self.add(signed_in, "thief@example.com")
        mail.outbox.clear()
        Client().post("/accounts/password/reset/", {"email": "thief@example.com"})
        assert not any("/password/reset/key/" in each.body for each in mail.outbox)

    def test_leaves_the_present_one_in_force_meanwhile(self, signed_in: Client) -> None:
        self.add(signed_in, "new@example.com")
        mail.outbox.clear()
        Client().post("/accounts/password/reset/", {"email": "asha@example.com"})
        assert [each.to for each in mail.outbox] == [["asha@example.com"]]
        assert "/password/reset/key/" in mail.outbox[0].body

    def test_replaces_the_old_one_once_confirmed_and_the_old_one_is_told(
        self, signed_in: Client, owner: User
    ) -> None:
        self.add(signed_in, "new@example.com")
        link = re.search(
            r"http://testserver(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body)
        )
        assert link is not None
        signed_in.post(link[1])
        signed_in.post(EMAIL, {"action_primary": "", "email": "new@example.com"})
        owner.refresh_from_db()
        assert owner.email == "new@example.com"
        assert ["asha@example.com"] in [each.to for each in mail.outbox]

    def test_can_be_taken_back(self, signed_in: Client, owner: User) -> None:
        self.add(signed_in, "new@example.com")
        signed_in.post(EMAIL, {"action_remove": "", "email": "new@example.com"})
        owner.refresh_from_db()
        assert owner.email == "asha@example.com"
        assert not EmailAddress.objects.filter(user=owner, email="new@example.com").exists()

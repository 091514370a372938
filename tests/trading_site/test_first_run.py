import re
from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Role, Workspace
from brokers.models import TradingAccount
from tests.builders import NOW, make_user, make_workspace

OPEN = "/positions/practice/open/"


@pytest.fixture(autouse=True)
def now() -> Iterator[datetime]:
    with time_machine.travel(NOW, tick=False):
        yield timezone.now()


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace(make_user())


def signed_in(workspace: Workspace, role: Role = Role.OWNER) -> Client:
    user = workspace.owner
    if role != Role.OWNER:
        user = make_user("other")
        Membership.objects.create(workspace=workspace, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def pressed(page: str) -> dict[str, str]:
    """What the button on the page sends, without the token that the test client skips."""
    form = re.search(rf'<form[^>]*action="{OPEN}".*?</form>', page, re.DOTALL)
    assert form, "the page opens no account"
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.group()))


class TestFirstAccount:
    @pytest.mark.parametrize("address", ["/", "/brokers/"])
    def test_is_not_offered_to_a_viewer(self, workspace: Workspace, address: str) -> None:
        page = signed_in(workspace, Role.VIEWER).get(address).content.decode()
        assert "Ask the owner or a trader" in page and OPEN not in page

    @pytest.mark.parametrize("address", ["/", "/brokers/"])
    def test_takes_one_press_and_comes_back(self, workspace: Workspace, address: str) -> None:
        client = signed_in(workspace)
        answer = client.post(OPEN, pressed(client.get(address).content.decode()), follow=True)
        assert answer.redirect_chain == [(address, 302)]
        assert "Practice is open and ready to trade" in answer.content.decode()
        assert TradingAccount.objects.get().is_paper

    def test_pressed_twice_opens_one(self, workspace: Workspace) -> None:
        client = signed_in(workspace)
        sent = pressed(client.get("/").content.decode())
        client.post(OPEN, sent)
        assert "Practice" in client.post(OPEN, sent).content.decode()
        assert TradingAccount.objects.count() == 1

    def test_leads_to_no_other_site(self, workspace: Workspace) -> None:
        sent = {"name": "Practice", "cash": "10,00,000", "next": "https://evil.example/"}
        assert signed_in(workspace).post(OPEN, sent)["Location"] == "/"

"""People at desks, for page tests: who looks in, from where, and as what."""

import csv
import io
from typing import Protocol

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Role, Workspace
from tests.builders import make_user, make_workspace
from tests.orders.desk import Desk


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


HTMX = {"HX-Request": "true"}


def client_of(desk: Desk) -> Client:
    """The owner of the desk, signed in."""
    client = Client()
    client.force_login(desk.user)
    return client


def client_with_role(workspace: Workspace, role: Role) -> Client:
    """Another member of the desk, signed in."""
    user = make_user(f"{role}-of-{workspace.pk.hex[-6:]}")
    Membership.objects.create(workspace=workspace, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


def client_of_stranger() -> Client:
    """The owner of another desk, signed in."""
    user = make_user("stranger")
    make_workspace(user, "Other desk")
    client = Client()
    client.force_login(user)
    return client


def queries_of(client: Client, url: str) -> int:
    client.get(url)  # the first request of a session writes to it
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def csv_rows(response: Answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode())))

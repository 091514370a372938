"""Every address, asked by those who must not get in; one without a specimen fails in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Membership, Role, UserSession, Workspace
from brokers.models import BrokerConnection, TradingAccount
from market.models import ImportRun, Instrument, ScheduleOverride, Watchlist, WatchlistItem
from notifications.models import Notification
from orders.models import Order, Trade
from portfolio.models import ExpirySettlement, Position, PositionDifference
from risk.models import RiskRule, RiskViolation
from strategies.models import Signal, Strategy, UserStrategy
from tests.builders import make_user, make_workspace
from tests.specimens import Specimens

pytestmark = pytest.mark.django_db

# Whose row an address names: by its full name, by its app, or by the parameter alone.
SUBJECTS: dict[str, type[Model]] = {
    "market:remove.pk": WatchlistItem,
    "market.pk": Watchlist,
    "account_id": TradingAccount,
    "activation_id": UserStrategy,
    "connection_id": BrokerConnection,
    "difference_id": PositionDifference,
    "import_id": ImportRun,
    "membership_id": Membership,
    "notification_id": Notification,
    "order_id": Order,
    "position_id": Position,
    "rule_id": RiskRule,
    "run_id": ImportRun,
    "session_id": UserSession,
    "settlement_id": ExpirySettlement,
    "signal_id": Signal,
    "trade_id": Trade,
    "user_strategy_id": UserStrategy,
    "violation_id": RiskViolation,
    "workspace_id": Workspace,
}
# Parameters that name nothing of anybody's: the same page for all, whatever stands there.
SHARED: dict[str, object] = {
    "broker": "angel",
    "shell_part.name": "bell",
    "home_part.name": "hero",
    "instrument_id": 1,
    "key": "NSE:RELIANCE",
    "kind": "kite_master",
    "postback.config_id": UUID(int=1),
    "postback.token": "a-token",
    "override_id": ScheduleOverride,
    "slug": "a-strategy",
    "strategy_id": Strategy,
    "strategies.slug": "a-strategy",
}
# A viewer's own things, which need no right to trade.
PERSONAL = {
    "account_email",
    "choose_scope",
    "choose_theme",
    "switch_workspace",
    "market:create",
    "market:rename",
    "market:delete",
    "market:add",
    "market:remove",
    "notifications:read",
    "notifications:mark_read",
    "notifications:read_all",
    "notifications:mark_all_read",
}
# Meant for callers without a sign-in.
OPEN = {"favicon", "healthz", "postback"}


@dataclass(frozen=True)
class Address:
    name: str
    parameters: tuple[str, ...]

    def subject_of(self, parameter: str) -> type[Model] | None:
        return next((SUBJECTS[key] for key in self._keys(parameter) if key in SUBJECTS), None)

    def shared_value_of(self, parameter: str) -> object:
        return next((SHARED[key] for key in self._keys(parameter) if key in SHARED), None)

    def is_known(self, parameter: str) -> bool:
        return any(key in SUBJECTS or key in SHARED for key in self._keys(parameter))

    @property
    def names_a_row(self) -> bool:
        return any(self.subject_of(parameter) for parameter in self.parameters)

    def path(self, specimens: Specimens) -> str:
        values: dict[str, object] = {}
        for parameter in self.parameters:
            model = self.subject_of(parameter)
            shared = self.shared_value_of(parameter)
            if model is None and isinstance(shared, type):
                model = shared
            values[parameter] = specimens.of(model).pk if model else shared
        return reverse(self.name, kwargs=values)

    def _keys(self, parameter: str) -> tuple[str, str, str]:
        app = self.name.partition(":")[0]
        return f"{self.name}.{parameter}", f"{app}.{parameter}", parameter


def addresses(
    patterns: list[Any], namespace: str = "", above: tuple[str, ...] = ()
) -> Iterator[Address]:
    for pattern in patterns:
        parameters = (*above, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner, parameters)
        elif isinstance(pattern, URLPattern) and is_ours(pattern):
            yield Address(f"{namespace}{pattern.name}", parameters)


def is_ours(pattern: URLPattern) -> bool:
    return not pattern.callback.__module__.startswith(("allauth.", "django."))


ALL = sorted(addresses(get_resolver().url_patterns), key=lambda address: address.name)
OF_A_ROW = [address for address in ALL if address.names_a_row]
GUARDED = [address for address in ALL if address.name not in OPEN]


@pytest.fixture
def specimens() -> Specimens:
    specimens = Specimens()
    specimens.of(Membership)
    return specimens


@pytest.fixture
def stranger(client: Client) -> Client:
    user = make_user("stranger")
    make_workspace(user, "Elsewhere")
    client.force_login(user)
    return client


@pytest.fixture
def viewer(client: Client, specimens: Specimens) -> Client:
    user = make_user("viewer")
    Membership.objects.create(workspace=specimens.of(Workspace), user=user, role=Role.VIEWER)
    client.force_login(user)
    return client


class TestEveryAddress:
    def test_has_a_specimen_for_each_of_its_parameters(self) -> None:
        unknown = [
            f"{address.name} takes {parameter!r}: say in SUBJECTS whose row that is, or in SHARED"
            for address in ALL
            for parameter in address.parameters
            if not address.is_known(parameter)
        ]
        assert not unknown, "\n".join(unknown)

    @pytest.mark.parametrize("address", GUARDED, ids=lambda address: address.name)
    def test_sends_the_anonymous_to_the_sign_in(
        self, client: Client, specimens: Specimens, address: Address
    ) -> None:
        for answer in (client.get(address.path(specimens)), client.post(address.path(specimens))):
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/accounts/login/")


class TestAddressOfARow:
    @pytest.mark.parametrize("address", OF_A_ROW, ids=lambda address: address.name)
    def test_does_not_exist_for_a_stranger(
        self, stranger: Client, specimens: Specimens, address: Address
    ) -> None:
        path = address.path(specimens)
        answers = {stranger.get(path).status_code, stranger.post(path).status_code}
        assert 404 in answers
        assert answers <= {404, 405}


class TestChange:
    @pytest.mark.parametrize(
        "address",
        [address for address in GUARDED if address.name not in PERSONAL],
        ids=lambda address: address.name,
    )
    def test_is_refused_to_a_viewer(
        self, viewer: Client, specimens: Specimens, address: Address
    ) -> None:
        # 405: a page that is only looked at. 404: a row that this person may not trade with.
        assert viewer.post(address.path(specimens)).status_code in {403, 404, 405}


class TestIdsOfAnotherDeskInABody:
    """A stranger, free to do anything at a desk of their own, sends the ids of this one's rows."""

    NAMES = ("", "s", "_id", "_ids")

    def body(self, specimens: Specimens) -> dict[str, str]:
        words = {
            "account": TradingAccount,
            "activation": UserStrategy,
            "connection": BrokerConnection,
            "notification": Notification,
            "order": Order,
            "position": Position,
            "rule": RiskRule,
            "run": ImportRun,
            "user_strategy": UserStrategy,
            "watchlist": Watchlist,
            "workspace": Workspace,
        }
        ids = {word: str(specimens.of(model).pk) for word, model in words.items()}
        return {word + ending: key for word, key in ids.items() for ending in self.NAMES} | {
            "confirm": "HALT",
            "confirmed": "on",
            "idempotency_key": "another",
            "instrument": specimens.of(Instrument).key,
            "key": specimens.of(Instrument).key,
            "name": "Mine now",
            "order_type": "MARKET",
            "product": "MIS",
            "quantity": "1",
            "reason": "none",
            "rule_type": "MAX_DAILY_LOSS",
            "rule_value": "100",
            "scope": f"account:{ids['account']}",
            "side": "BUY",
            "state": "HALTED",
            "validity": "DAY",
            "word": "HALT",
        }

    def picture(self, specimens: Specimens) -> dict[str, object]:
        """Every row of the desk, in every table that says whose its rows are."""
        desk = specimens.of(Workspace)
        owned = [model for model in apps.get_models() if "workspace" in field_names(model)]
        rows = {
            model._meta.label: list(model._default_manager.filter(workspace=desk).values())
            for model in owned
        }
        return rows | {"desk": list(Workspace.objects.filter(pk=desk.pk).values())}

    @pytest.mark.parametrize(
        "address",
        [address for address in GUARDED if not address.names_a_row],
        ids=lambda address: address.name,
    )
    def test_change_nothing_there(
        self, stranger: Client, specimens: Specimens, address: Address
    ) -> None:
        body = self.body(specimens)
        before = self.picture(specimens)
        answer = stranger.post(address.path(specimens), body)
        assert answer.status_code < 500
        assert self.picture(specimens) == before


def field_names(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.concrete_fields}

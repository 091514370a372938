from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User, UserSession, UserStatus
from operations.house_admin import SEALED
from operations.models import Setting, SettingChange
from tests.builders import make_user, make_workspace
from tests.specimens import CANARY, Specimens
from trading_site.admin import OURS

pytestmark = pytest.mark.django_db

MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]
HISTORY = {
    "market.ScheduleChange",
    "market.ScheduleOverride",
    "orders.Order",
    "orders.OrderEvent",
    "orders.OrderModification",
    "orders.Trade",
    "portfolio.LedgerEntry",
    "portfolio.Funds",
    "portfolio.Position",
    "portfolio.TradingSession",
    "operations.RequestLog",
    "operations.AuditChain",
    "operations.SettingChange",
    "operations.SystemLog",
    "operations.ErrorLog",
    "risk.RiskViolation",
    "risk.TraderControl",
    "risk.Reservation",
    "strategies.Signal",
    "strategies.CandleEvaluation",
    "brokers.BrokerCall",
    "brokers.AuthToken",
    "brokers.PaperAccount",
    "brokers.PaperOrder",
    "brokers.PaperTrade",
    "brokers.PaperLedgerEntry",
}


@pytest.fixture
def operator() -> User:
    user = make_user("operator", is_staff=True, is_superuser=True)
    make_workspace(user)
    return user


@pytest.fixture
def at_admin(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def admin_of(model: type[Model]) -> ModelAdmin[Any]:
    return admin.site.get_model_admin(model)


def page_of(row: Model, name: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


class TestAdmin:
    def test_is_closed_to_people_who_are_not_staff(self, client: Client) -> None:
        user = make_user()
        make_workspace(user)
        client.force_login(user)
        assert client.get(reverse("admin:index")).status_code in (302, 403)

    def test_sends_strangers_to_the_common_sign_in(self, client: Client) -> None:
        answer = client.get(reverse("admin:login"))
        assert answer.headers["Location"].startswith("/accounts/login/")

    @pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
    def test_lists_and_shows_a_row_without_its_secrets(
        self, at_admin: Client, operator: User, model: type[Model]
    ) -> None:
        row = Specimens(operator).of(model)
        listing = at_admin.get(page_of(row).replace(f"{row.pk}/change/", ""))
        page = at_admin.get(page_of(row))
        assert (listing.status_code, page.status_code) == (200, 200)
        assert CANARY not in listing.content.decode() + page.content.decode()

    @pytest.mark.parametrize("label", sorted(HISTORY))
    def test_only_looks_at_history(self, operator: User, label: str) -> None:
        request = RequestFactory().get("/")
        request.user = operator
        permissions = admin_of(apps.get_model(label)).get_model_perms(request)
        assert permissions == {"add": False, "change": False, "delete": False, "view": True}

    def test_has_no_column_that_holds_ciphertext_and_is_not_sealed(self) -> None:
        told = {
            field.name
            for model in MODELS
            for field in model._meta.concrete_fields
            if "never shown" in str(field.help_text)
        }
        assert told <= SEALED


class TestBlockingInTheAdmin:
    def test_signs_the_person_out_at_once(self, at_admin: Client) -> None:
        user = make_user("ravi")
        Client().force_login(user)
        form = at_admin.get(page_of(user)).context["adminform"].form
        values = {
            name: value for name, value in form.initial.items() if value not in (None, "")
        } | {"status": UserStatus.BLOCKED}
        for name in ("last_login", "date_joined", "access_until"):
            values.pop(name, None)
        values |= {"date_joined_0": "2026-06-01", "date_joined_1": "10:00"}
        at_admin.post(page_of(user), values)
        user.refresh_from_db()
        assert user.status == UserStatus.BLOCKED
        assert UserSession.objects.get(user=user).ended_at


class TestSettingInTheAdmin:
    def test_refuses_a_value_of_another_type(self, at_admin: Client) -> None:
        setting = Specimens().of(Setting)
        Setting.objects.filter(pk=setting.pk).update(data_type="boolean", value="true")
        at_admin.post(page_of(setting), {"new_value": "perhaps"})
        setting.refresh_from_db()
        assert setting.value == "true"

    def test_remembers_who_changed_it(self, at_admin: Client, operator: User) -> None:
        Setting.objects.update_or_create(
            key="copy_enabled", defaults={"value": "true", "data_type": "boolean"}
        )
        at_admin.post(page_of(Setting.objects.get(key="copy_enabled")), {"new_value": "off"})
        change = SettingChange.objects.get()
        assert (change.old_value, change.new_value, change.changed_by) == ("true", "off", operator)

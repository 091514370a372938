"""One valid row of any table, made from its columns: for tests that go over every table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any, TypeVar

from django.db import models

from accounts.models import Role, User, Workspace
from copytrading.models import CopyLink
from operations.house_admin import SEALED
from operations.ids import new_id
from tests.builders import NOW, make_account, make_user

M = TypeVar("M", bound=models.Model)
CANARY = "canary-0f9c2b7d"

# What a table's constraints ask for and its columns do not tell.
NEEDS: dict[str, dict[str, object]] = {
    "portfolio.ChargeRate": {"rate": Decimal("0.001")},
    "market.ScheduleOverride": {"is_open": False, "opens_at": time(9), "closes_at": time(15)},
    "market.Candle": {"low": Decimal(1), "high": Decimal(2)},
    "orders.Order": {"order_type": "MARKET"},
    "portfolio.LedgerEntry": {"debit": Decimal(0), "credit": Decimal(0)},
    "portfolio.Position": {"quantity": 1, "open_cost": Decimal(1)},
    "accounts.Membership": {"role": Role.OWNER},
    "strategies.UserStrategy": {"successful_orders": 0},
    "brokers.BrokerConnection": {"broker_type": "paper"},
}
VALUES: tuple[tuple[type[models.Field[Any, Any]], Callable[[Any], object]], ...] = (
    (models.UUIDField, lambda field: new_id()),
    (models.EmailField, lambda field: "specimen@example.com"),
    (models.URLField, lambda field: "https://example.com/"),
    (models.GenericIPAddressField, lambda field: "192.0.2.1"),
    (models.CharField, lambda field: field.name[: field.max_length]),
    (models.TextField, lambda field: field.name),
    (models.BooleanField, lambda field: False),
    (models.DecimalField, lambda field: Decimal(1)),
    (models.IntegerField, lambda field: 1),
    (models.DateTimeField, lambda field: NOW),
    (models.DateField, lambda field: NOW.date()),
    (models.TimeField, lambda field: time(9, 15)),
    (models.JSONField, lambda field: {}),
    (models.BinaryField, lambda field: b""),
)


class Specimens:
    """Makes each table's row once; rows that need one another share it."""

    def __init__(self, owner: User | None = None) -> None:
        self.owner = owner or make_user()
        self._made: dict[type[models.Model], models.Model] = {User: self.owner}

    def of(self, model: type[M]) -> M:
        if model not in self._made:
            row = self._existing(model) or self._build(model)
            self._made[model] = row
        found = self._made[model]
        assert isinstance(found, model)
        return found

    def _existing(self, model: type[models.Model]) -> models.Model | None:
        # Tables that a migration fills have a row already.
        is_filled = model._meta.label in {"operations.Setting", "operations.AuditChain"}
        return model._default_manager.first() if is_filled else None

    def _build(self, model: type[models.Model]) -> models.Model:
        values: dict[str, object] = {}
        for field in model._meta.concrete_fields:
            if field.name in SEALED:
                values[field.name] = CANARY
            elif self._must_be_filled(field, model):
                values[field.name] = self._value(field)
        values |= NEEDS.get(model._meta.label, {})
        if model is CopyLink:
            values["follower"] = make_account(self.of(Workspace), "Follower")
        return model._default_manager.create(**values)

    def _must_be_filled(self, field: models.Field[Any, Any], model: type[models.Model]) -> bool:
        if field.primary_key:
            return not (field.has_default() or isinstance(field, models.AutoField))
        if field.is_relation:
            # Kept inside the desk wherever a row can say whose it is.
            target = field.related_model
            return target is not model and (not field.null or target in (User, Workspace))
        is_empty_word = field.blank and field.empty_strings_allowed
        return not (field.has_default() or field.null or is_empty_word)

    def _value(self, field: models.Field[Any, Any]) -> object:
        if field.is_relation:
            target = field.related_model
            assert isinstance(target, type)
            return self.of(target)
        if field.choices:
            return next(iter(field.flatchoices))[0]
        return next(make for kind, make in VALUES if isinstance(field, kind))(field)

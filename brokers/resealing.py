"""Bring every sealed column under the newest key, so that the oldest can be thrown away.

Some of these columns belong to apps above this one: they are named here, not imported.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.apps import apps
from django.db.models import Model

from operations.secrets import SecretUnreadable, reseal


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of secrets; ``only`` says which rows are sealed where not all of them are."""

    model: str
    column: str
    only: dict[str, object] = field(default_factory=dict)


SEALED_COLUMNS = (
    SealedColumn("brokers.BrokerConnection", "credentials"),
    SealedColumn("brokers.AuthToken", "access_token"),
    SealedColumn("brokers.AuthToken", "refresh_token"),
    SealedColumn("brokers.LoginAttempt", "answer"),
    SealedColumn("brokers.PostbackConfig", "secret"),
    SealedColumn("portfolio.EdisTransaction", "tpin"),
    SealedColumn("operations.Setting", "value", {"is_sensitive": True}),
)


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many secrets are under the newest key now, and which rows no key opens."""

    count: int
    unreadable: tuple[str, ...]


def reseal_everything() -> Resealed:
    """Re-encrypt all secrets under the newest key. Safe to run again, and while people work."""
    count = 0
    unreadable = []
    for sealed in SEALED_COLUMNS:
        for row, token in _secrets(sealed):
            try:
                _replace(sealed, row, token)
            except SecretUnreadable:
                unreadable.append(f"{sealed.model} {row} {sealed.column}")
            else:
                count += 1
    return Resealed(count, tuple(unreadable))


def _secrets(sealed: SealedColumn) -> Iterator[tuple[object, str]]:
    rows = _model(sealed)._default_manager.filter(**sealed.only).exclude(**{sealed.column: ""})
    yield from rows.order_by("pk").values_list("pk", sealed.column)


def _replace(sealed: SealedColumn, row: object, token: str) -> None:
    """Leave a secret alone that a person has changed in the meantime: it is new anyway."""
    unchanged = _model(sealed)._default_manager.filter(**{"pk": row, sealed.column: token})
    unchanged.update(**{sealed.column: reseal(token)})


def _model(sealed: SealedColumn) -> type[Model]:
    return apps.get_model(sealed.model)

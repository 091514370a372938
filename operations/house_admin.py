"""How the admin shows this house: sealed columns never, history only to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[models.Model]
else:
    _ModelAdmin = admin.ModelAdmin

# Ciphertexts and digests: of no use to a person, of some to a thief.
SEALED = frozenset(
    {
        "access_token",
        "answer",
        "credentials",
        "key_hash",
        "password",
        "refresh_token",
        "secret",
        "session_key_hash",
        "tpin",
        "webhook_url",
    }
)
WIDEST = 8


class HouseAdmin(_ModelAdmin):
    """Lists the first columns and filters by every choice, unless told otherwise."""

    list_per_page = 50
    show_full_result_count = False
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        columns = [field for field in model._meta.concrete_fields if field.name not in SEALED]
        relations = tuple(field.name for field in columns if field.is_relation)
        short = tuple(field.name for field in columns if _is_short(field))
        found = {
            "list_display": short[:WIDEST],
            "list_filter": tuple(field.name for field in columns if _is_choice(field)),
            "list_select_related": relations,
            # A drop-down of every instrument there is would be a page of its own.
            "raw_id_fields": relations,
            "ordering": ("-pk",),
        }
        for name, value in found.items():
            if getattr(type(self), name) == getattr(admin.ModelAdmin, name):
                setattr(self, name, value)
        super().__init__(model, admin_site)

    def get_exclude(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        names = {field.name for field in self.model._meta.concrete_fields}
        return (*(super().get_exclude(request, obj) or ()), *(names & SEALED))


class HistoryAdmin(HouseAdmin):
    """For what has happened: nobody adds to it, changes it or takes it away, not even here."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class KeptAdmin(HouseAdmin):
    """For dated facts and settings: added to and corrected, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def _is_short(field: models.Field[object, object]) -> bool:
    return not isinstance(field, models.JSONField | models.TextField)


def _is_choice(field: models.Field[object, object]) -> bool:
    return bool(field.choices) or isinstance(field, models.BooleanField)

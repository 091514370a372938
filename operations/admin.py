from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from operations.configuration import SettingInvalid, change_setting, parse_value
from operations.house_admin import HistoryAdmin, KeptAdmin
from operations.models import DataType, ErrorLog, RequestLog, Setting, SystemLog


class SettingForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Takes a new value; a secret one is never shown, only replaced."""

    new_value = forms.CharField(required=False, strip=False)

    class Meta:
        model = Setting
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance.is_sensitive:
            self.fields["new_value"].initial = self.instance.value

    def clean_new_value(self) -> str:
        value: str = self.cleaned_data["new_value"]
        try:
            parse_value(value, DataType(self.instance.data_type))
        except SettingInvalid as error:
            raise forms.ValidationError(str(error)) from error
        return value


@admin.register(Setting)
class SettingAdmin(KeptAdmin):
    """Changes go through the service, so that what was before is remembered."""

    form = SettingForm
    list_display = ("key", "shown_value", "data_type", "category", "description", "updated_at")
    search_fields = ("key", "description")
    readonly_fields = ("key", "data_type", "category", "description", "is_sensitive", "version")
    fields = ("key", "new_value", *readonly_fields[1:])
    ordering = ("category", "key")

    @admin.display(description="value")
    def shown_value(self, setting: Setting) -> str:
        return "(sealed)" if setting.is_sensitive else setting.value

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        value = form.cleaned_data["new_value"]
        user = request.user if isinstance(request.user, models.Model) else None
        change_setting(str(obj.pk), value=value, by=user, now=timezone.now())


@admin.register(SystemLog)
class SystemLogAdmin(HistoryAdmin):
    list_display = ("created_at", "level", "type", "message", "user")
    search_fields = ("message",)


@admin.register(ErrorLog)
class ErrorLogAdmin(HistoryAdmin):
    list_display = ("created_at", "severity", "error_type", "error_code", "message")
    search_fields = ("error_type", "message")


@admin.register(RequestLog)
class RequestLogAdmin(HistoryAdmin):
    list_display = ("created_at", "user", "method", "path", "status_code", "success", "client_ip")
    search_fields = ("path", "user__username", "client_ip")

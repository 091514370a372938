from __future__ import annotations

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Membership, Subscription, User, Workspace
from accounts.sessions import revoke_sessions
from operations.house_admin import HouseAdmin, KeptAdmin


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """People are blocked, never deleted: their orders bear their name."""

    list_display = ("username", "email", "name", "status", "access_until", "is_staff", "last_login")
    list_filter = ("status", "is_active", "is_staff", "risk_tolerance")
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "phone")}),
        ("Access", {"fields": ("status", "is_active", "access_until", "is_staff", "is_superuser")}),
        ("Trading", {"fields": ("total_capital", "risk_tolerance")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool
    ) -> None:
        """Save the person, and sign out at once who may no longer act."""
        super().save_model(request, obj, form, change)
        now = timezone.now()
        if not obj.can_act(now):
            revoke_sessions(obj, now=now)


@admin.register(Workspace)
class WorkspaceAdmin(KeptAdmin):
    list_display = ("name", "owner", "created_at")
    search_fields = ("name", "owner__username")


@admin.register(Membership)
class MembershipAdmin(HouseAdmin):
    list_display = ("workspace", "user", "role", "created_at")
    search_fields = ("workspace__name", "user__username")


@admin.register(Subscription)
class SubscriptionAdmin(KeptAdmin):
    search_fields = ("user__username", "payment_ref")

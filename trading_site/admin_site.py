"""The administration's own door."""

from collections.abc import Callable
from typing import TypeVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator

from accounts.reauthentication import reauthentication_required

AdminView = TypeVar("AdminView", bound=Callable[..., HttpResponseBase])


class DeskAdminSite(admin.AdminSite):
    """People come by their own sign-in, and give the password again before anything opens."""

    site_header = "Pinnacle"
    site_title = "Pinnacle"

    @method_decorator(secure_admin_login)
    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Lead to the sign-in page of everybody, with its limits on guessing."""
        return super().login(request, extra_context)

    def admin_view(self, view: AdminView, cacheable: bool = False) -> AdminView:
        return super().admin_view(reauthentication_required(view), cacheable)  # type: ignore[return-value]

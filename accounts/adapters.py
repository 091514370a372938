"""What sign-up and sign-in do here beyond what allauth does."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.models import User
from accounts.reauthentication import is_lately_authenticated
from accounts.services import ensure_workspace
from operations.requests import client_ip


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Let strangers sign up if the operator says so; unsaid, only a server's first person."""
        if settings.SIGN_UP_OPEN is None:
            return not User.objects.exists()
        return bool(settings.SIGN_UP_OPEN)

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        """Save who signed up, with a desk of their own."""
        saved: User = super().save_user(request, user, form, commit=commit)
        if commit:
            ensure_workspace(saved)
        return saved

    def pre_login(
        self, request: HttpRequest, user: User, **login: object
    ) -> HttpResponseBase | None:
        """Turn away who knows the password and may not act; allauth looks at ``is_active`` only."""
        if not user.can_act(timezone.now()):
            response: HttpResponseBase = self.respond_user_inactive(request, user)
            return response
        answer: HttpResponseBase | None = super().pre_login(request, user, **login)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in; somebody made on the command line, or taken off every desk, gets their own."""
        ensure_workspace(user)
        super().login(request, user)

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Ask for the password again where every other page does."""
        return not is_lately_authenticated(self.request, now=timezone.now())

    def get_client_ip(self, request: HttpRequest) -> str:
        """Count attempts by the same address that the audit writes down."""
        return client_ip(request) or "0.0.0.0"  # noqa: S104  # a label, nothing is bound to it

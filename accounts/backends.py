"""Sign in by name or e-mail, and only while the person may act."""

from allauth.account.auth_backends import AuthenticationBackend
from django.utils import timezone

from accounts.models import User


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """Refuses who is blocked, inactive or past their access date, at sign-in and ever after.

    Django asks the same question when it loads the session's user, so a person who is blocked
    is a stranger at the next request.
    """

    def user_can_authenticate(self, user: User) -> bool:
        return user.can_act(timezone.now())

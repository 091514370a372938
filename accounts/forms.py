"""Forms of a person's own sign-in."""

from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from allauth.account.models import EmailAddress

from accounts.models import User


class ResetPasswordForm(AllauthResetPasswordForm):  # type: ignore[misc]  # allauth ships no types
    """Sends a reset only to the address a person signed up with or has confirmed since."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users: list[User] = [user for user in self.users if owns_address(user, email)]
        return email


def owns_address(user: User, email: str) -> bool:
    if user.email.lower() == email.lower():
        return True
    return bool(EmailAddress.objects.filter(user=user, email__iexact=email, verified=True).exists())

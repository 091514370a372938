"""How a person's login at a broker becomes a session: the words of every adapter's ``login.py``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class LoginFailed(Exception):
    """The broker did not let us in; the message is fit for a person, and holds no secret."""


class LogoutFailed(Exception):
    """The session could not be ended at the broker; the message holds no secret."""


class LoginStyle(StrEnum):
    """What a login needs: nobody, a code that is worked out here, or a person at the broker."""

    KEYS = "KEYS"  # standing keys, no daily login
    TOTP = "TOTP"  # codes made here from a sealed secret
    PASTED = "PASTED"  # a person pastes the token of the day
    REDIRECT = "REDIRECT"  # a person signs in on the broker's page and comes back


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One line of the connect wizard. A secret one is sealed and never shown again.

    ``is_setup_key`` says that the codes of a login are made from it.
    """

    name: str
    label: str
    help_text: str = ""
    is_secret: bool = True
    is_required: bool = True
    is_setup_key: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """The connect wizard's words for one broker: what to click at its site, in order.

    ``returns_state`` tells whether its page sends back the ``state`` that it was opened with.
    """

    style: LoginStyle
    fields: tuple[CredentialField, ...]
    steps: tuple[str, ...]
    daily: str
    has_postback: bool = False
    returns_state: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """A session the broker gave. ``secrets`` is what later calls need, under the adapter's names.

    ``expires_at`` is None where standing keys never expire.
    """

    secrets: Mapping[str, str]
    expires_at: datetime | None
    client_code: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class Login(Protocol):
    """One broker's daily login; an adapter's ``login.py`` offers it as ``LOGIN``."""

    guide: Guide

    def page(self, credentials: Mapping[str, str], *, state: str) -> str | None:
        """Return the broker's page where a person signs in; None where none is needed."""
        ...

    def open(
        self, credentials: Mapping[str, str], *, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Log in. ``answer`` is what the broker's page sent back, empty without one.

        :raises LoginFailed: when the broker refuses, or a person is needed and none answered.
        """
        ...

    def close(self, credentials: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Log out, as far as the broker offers it.

        :raises LogoutFailed: when the broker could not be told, or refused.
        """
        ...

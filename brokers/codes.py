"""One-time codes for brokers' logins, from whatever length of key a broker hands out."""

import base64
from datetime import datetime

import pyotp


class _BrokersCode(pyotp.TOTP):
    """Takes keys of 80 bits too: pyotp refuses them, but many sites still hand them out."""

    def byte_secret(self) -> bytes:
        padding = "=" * (-len(self.secret) % 8)
        return base64.b32decode(self.secret + padding, casefold=True)


class SetupKeyInvalid(ValueError):
    """No codes can be made from it; the message says why and does not repeat it."""


# 80 bits: the shortest that any site hands out.
_SHORTEST = 16


def check_setup_key(secret: str) -> None:
    """Let a key pass that codes can be made from.

    :raises SetupKeyInvalid: saying what was typed instead.
    """
    plain = _plain(secret)
    if plain.isdigit() and len(plain) < _SHORTEST:
        raise SetupKeyInvalid(
            f"These {len(plain)} digits are a code, good for 30 seconds. The TOTP secret is the "
            "longer text that codes are made from: letters A to Z and digits 2 to 7"
        )
    try:
        base64.b32decode(plain + "=" * (-len(plain) % 8), casefold=True)
    except ValueError:
        raise SetupKeyInvalid(
            "A TOTP secret has letters A to Z and digits 2 to 7 only: copy the text beside the "
            "QR code"
        ) from None
    if len(plain) < _SHORTEST:
        words = f"A TOTP secret has at least {_SHORTEST} characters; these are {len(plain)}"
        raise SetupKeyInvalid(words)


def code_at(secret: str, at: datetime) -> str:
    """Return the six digits of a moment.

    :raises ValueError: when the secret is no setup key; the message does not repeat it.
    """
    plain = _plain(secret)
    if not plain:
        raise ValueError("The setup key is empty")
    return _BrokersCode(plain).at(at)


def _plain(secret: str) -> str:
    """As it is made of, whatever groups it is written in."""
    return "".join(secret.split()).replace("-", "").rstrip("=")

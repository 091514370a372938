"""One-time codes for brokers' logins, from whatever length of key a broker hands out."""

import base64
from datetime import datetime

import pyotp


class _BrokersCode(pyotp.TOTP):
    """Takes keys of 80 bits too: pyotp refuses them, but many sites still hand them out."""

    def byte_secret(self) -> bytes:
        padding = "=" * (-len(self.secret) % 8)
        return base64.b32decode(self.secret + padding, casefold=True)


def code_at(secret: str, at: datetime) -> str:
    """Return the six digits of a moment.

    :raises ValueError: when the secret is no setup key; the message does not repeat it.
    """
    plain = "".join(secret.split()).replace("-", "")
    if not plain:
        raise ValueError("The setup key is empty")
    return _BrokersCode(plain).at(at)

"""Secrets at rest: Fernet with a list of keys, each ciphertext bound to the row that owns it."""

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretUnreadable(Exception):
    """The ciphertext was made with a key we do not hold, or belongs to another row."""


def seal(secret: Mapping[str, str], *, row: str) -> str:
    """Encrypt the secret for one row, named like ``broker_connections:<id>``."""
    envelope = json.dumps({"row": row, "secret": dict(secret)})
    return _cipher().encrypt(envelope.encode()).decode()


def unseal(token: str, *, row: str) -> dict[str, str]:
    """Decrypt what :func:`seal` made for the same row.

    :raises SecretUnreadable: when no key fits or the ciphertext was moved from another row.
    """
    try:
        envelope = json.loads(_cipher().decrypt(token.encode()))
    except InvalidToken as error:
        raise SecretUnreadable("No encryption key fits this secret") from error
    if envelope["row"] != row:
        raise SecretUnreadable("This secret belongs to another row")
    return dict(envelope["secret"])


def reseal(token: str) -> str:
    """Re-encrypt under the newest key; the content does not change.

    :raises SecretUnreadable: when no key fits.
    """
    try:
        return _cipher().rotate(token.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable("No encryption key fits this secret") from error


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.SECRET_KEYS])

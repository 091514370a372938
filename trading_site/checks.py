"""Refuse to start in combinations that would cost somebody money or secrets."""

import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", "testserver"})
SHORTEST_KEY = 50
FEWEST_DIFFERENT = 5


@register(Tags.security)
def check_dangerous_combinations(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Collect what must not be together."""
    return [
        *_debug_in_public(),
        *_secret_key(),
        *_fernet_keys(),
        *_live_trading(),
        *_server_without_redis(),
        *_open_redis(),
    ]


def _debug_in_public() -> Iterator[CheckMessage]:
    if settings.DEBUG and settings.HTTPS:
        yield Error(
            "DEBUG is on behind HTTPS.",
            hint="A traceback shows secrets to anybody. Set DEBUG=off on a server.",
            id="pinnacle.E001",
        )
    public = [host for host in settings.ALLOWED_HOSTS if host not in LOCAL]
    if settings.DEBUG and public:
        yield Error(
            f"DEBUG is on and {', '.join(public)} may be asked for.",
            hint="Set DEBUG=off, or take all but localhost from ALLOWED_HOSTS.",
            id="pinnacle.E002",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS takes any name.",
            hint="A forged Host header would end up in password mails. Name your hosts.",
            id="pinnacle.E003",
        )


def _secret_key() -> Iterator[CheckMessage]:
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_DIFFERENT:
        yield Error(
            "SECRET_KEY is weak.",
            hint='python -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="pinnacle.E004",
        )
    if key in settings.SECRET_KEYS:
        yield Error(
            "SECRET_KEY also seals the brokers' credentials.",
            hint="Who learns one must not hold the other: give SECRET_KEYS a key of its own.",
            id="pinnacle.E005",
        )


def _fernet_keys() -> Iterator[CheckMessage]:
    if not settings.SECRET_KEYS:
        yield Error(
            "SECRET_KEYS is empty, so no credentials can be sealed.",
            hint="Set it to a new Fernet key; see .env.example.",
            id="pinnacle.E006",
        )
    for number, key in enumerate(settings.SECRET_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield Error(
                f"Key {number} of SECRET_KEYS is not a Fernet key.",
                hint="32 random bytes, base64: Fernet.generate_key() makes one.",
                id="pinnacle.E007",
            )


def _live_trading() -> Iterator[CheckMessage]:
    if settings.LIVE_TRADING and settings.DEBUG:
        yield Error(
            "LIVE_TRADING is on together with DEBUG.",
            hint="Real money needs DEBUG=off.",
            id="pinnacle.E008",
        )


def _server_without_redis() -> Iterator[CheckMessage]:
    is_server = not settings.DATABASE_URL.startswith("sqlite")
    if is_server and not settings.REDIS_URL:
        yield Error(
            "A server's database is set, and no Redis.",
            hint="Workers, rate limits and quotes would each live in one process. Set REDIS_URL.",
            id="pinnacle.E009",
        )
    processes = int(os.environ.get("WEB_CONCURRENCY", "1") or "1")
    if processes > 1 and not settings.REDIS_URL:
        yield Error(
            f"{processes} web processes share no memory.",
            hint="Limits on guessing passwords would be counted apart. Set REDIS_URL.",
            id="pinnacle.E010",
        )


def _open_redis() -> Iterator[CheckMessage]:
    address = urlsplit(settings.REDIS_URL)
    if address.hostname and address.hostname not in LOCAL and not address.password:
        yield Error(
            f"Redis at {address.hostname} takes commands without a password.",
            hint="Set requirepass there and write rediss://:password@host in REDIS_URL.",
            id="pinnacle.E011",
        )

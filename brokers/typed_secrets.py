"""Secrets of a refused connect form, kept sealed in the person's session until it is mended.

So that one wrong field asks for that field again, and no secret is ever written into a page.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from accounts.http import UserRequest
from operations.secrets import SecretUnreadable, seal, unseal

_KEY = "typed_secrets"
_KEPT_FOR = timedelta(minutes=10)


def keep_secrets(
    request: UserRequest, broker: str, secrets: Mapping[str, str], *, now: datetime
) -> None:
    sealed = seal(secrets, row=_row(request, broker))
    until = (now + _KEPT_FOR).isoformat()
    request.session[_KEY] = {"broker": broker, "sealed": sealed, "until": until}


def kept_secrets(request: UserRequest, broker: str, *, now: datetime) -> dict[str, str]:
    """Return what this person typed for this broker in this workspace a moment ago."""
    kept = request.session.get(_KEY)
    if kept is None or kept["broker"] != broker or now > datetime.fromisoformat(kept["until"]):
        return {}
    try:
        return unseal(kept["sealed"], row=_row(request, broker))
    except SecretUnreadable:
        return {}


def forget_secrets(request: UserRequest) -> None:
    request.session.pop(_KEY, None)


def _row(request: UserRequest, broker: str) -> str:
    return f"typed_secrets:{request.workspace.pk}:{request.user.pk}:{broker}"

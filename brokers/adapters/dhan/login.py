"""Logging in at Dhan, in one of three ways: a pasted token, PIN and TOTP, or Dhan's own page.

Dhan's login library puts PIN and code into log lines when a connection fails, waits without end
and opens a browser: its endpoints are called here over our transport instead.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from brokers.adapters.dhan import words
from brokers.adapters.dhan.answers import Answer, read_answer
from brokers.adapters.dhan.client import AUTH, DhanClient
from brokers.adapters.dhan.guide import GUIDE
from brokers.adapters.dhan.outcomes import words_of
from brokers.codes import code_at
from brokers.endpoints import root_of
from brokers.logins import Grant, LoginFailed
from brokers.transport import Transport, TransportError
from brokers.values import Unreadable
from brokers.venue import IST


class DhanLogin:
    """Three ways in, by what the credentials hold. No secret ever stands in what is raised."""

    guide = GUIDE

    def page(self, credentials: Mapping[str, str], *, state: str) -> str | None:
        """Ask for a consent and return its page; None where no person is needed.

        Dhan's page brings no ``state`` back: whoever waits for it must know by the person.

        :raises LoginFailed: when Dhan gives no consent.
        """
        if not credentials.get("api_key") or credentials.get("totp_secret"):
            return None
        client_id = _needed(credentials, "client_id")
        told = _call(
            "POST", f"/app/generate-consent?client_id={quote(client_id)}", _app(credentials)
        )
        consent = str(told.get("consentAppId") or "")
        if not consent:
            raise LoginFailed("Dhan gave no consent: check the API key and its secret")
        return f"{_auth_root()}/login/consentApp-login?consentAppId={quote(consent)}"

    def open(
        self, credentials: Mapping[str, str], *, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """:raises LoginFailed: when Dhan refuses, or a person is needed and none answered."""
        client_id = _needed(credentials, "client_id")
        if token_id := answer.get("tokenId") or answer.get("token_id"):
            path = f"/app/consumeApp-consent?tokenId={quote(token_id)}"
            return _granted(_call("GET", path, _app(credentials)), client_id)
        if token := answer.get("access_token"):
            return _pasted(client_id, token)
        if credentials.get("pin") and credentials.get("totp_secret"):
            return _granted(_call("POST", _code_path(credentials, now=now), {}), client_id)
        if token := credentials.get("access_token"):
            return _pasted(client_id, token)
        raise LoginFailed(
            "Nobody has signed in at Dhan: press Log in, or enter the PIN and the TOTP secret"
        )

    def close(self, credentials: Mapping[str, str], secrets: Mapping[str, str]) -> None:
        """Do nothing: Dhan offers no logout, a token ends by itself."""


LOGIN = DhanLogin()


def _code_path(credentials: Mapping[str, str], *, now: datetime) -> str:
    try:
        code = code_at(credentials["totp_secret"], now)
    except ValueError:
        raise LoginFailed("The TOTP secret is not the setup key that Dhan shows") from None
    client_id, pin = quote(credentials["client_id"].strip()), quote(credentials["pin"].strip())
    return f"/app/generateAccessToken?dhanClientId={client_id}&pin={pin}&totp={code}"


def _pasted(client_id: str, token: str) -> Grant:
    """Ask Dhan whose token it is and how long it is good: a pasted token says neither."""
    token = token.strip()
    try:
        with Transport() as transport:
            told = _good(DhanClient(client_id, token, transport=transport).profile())
    except TransportError as error:
        raise LoginFailed(f"Dhan could not be asked about the token: {error}") from None
    owner = str(told.get("dhanClientId") or "")
    if owner != client_id:
        raise LoginFailed("The token belongs to another client of Dhan")
    return _grant(client_id, token, expires=told.get("tokenValidity"), details={})


def _granted(told: Mapping[str, object], client_id: str) -> Grant:
    token = told.get("accessToken")
    if not isinstance(token, str) or not token:
        raise LoginFailed(f"Dhan gave no token: {_reason(told)}")
    if str(told.get("dhanClientId") or client_id) != client_id:
        raise LoginFailed("Somebody else signed in: the login belongs to another client of Dhan")
    details = {"name": str(told.get("dhanClientName") or "")}
    return _grant(client_id, token, expires=told.get("expiryTime"), details=details)


def _grant(client_id: str, token: str, *, expires: object, details: Mapping[str, str]) -> Grant:
    try:
        expires_at = words.time_told(expires)
    except Unreadable:
        expires_at = None
    if expires_at is None:
        raise LoginFailed("Dhan did not say how long the login is good")
    secrets = {"client_id": client_id, "access_token": token}
    return Grant(secrets, expires_at.astimezone(IST), client_code=client_id, details=details)


def _call(method: str, path: str, headers: Mapping[str, str]) -> Mapping[str, object]:
    try:
        with Transport() as transport:
            transport.request(method, f"{_auth_root()}{path}", headers=dict(headers))
            exchange = transport.last
    except TransportError as error:
        raise LoginFailed(f"Dhan could not be reached: {error}") from None
    if exchange is None:
        raise LoginFailed("Dhan could not be reached")
    return _good(read_answer(exchange))


def _good(answer: Answer) -> Mapping[str, object]:
    if answer.error is not None:
        raise LoginFailed(words_of(answer.error))
    if not isinstance(answer.body, Mapping):
        raise LoginFailed(f"Dhan answered HTTP {answer.exchange.status} without any data")
    if not answer.exchange.is_ok:
        raise LoginFailed(f"Dhan refused the login: {_reason(answer.body)}")
    return answer.body


def _reason(told: Mapping[str, object]) -> str:
    """Return Dhan's own words for why; only the fields that are known to hold words."""
    for name in ("message", "remarks", "errorMessage", "status"):
        if isinstance(told.get(name), str) and told[name]:
            return str(told[name])[:200]
    return "it did not say why"


def _app(credentials: Mapping[str, str]) -> dict[str, str]:
    return {
        "app_id": _needed(credentials, "api_key"),
        "app_secret": _needed(credentials, "api_secret"),
    }


def _needed(credentials: Mapping[str, str], name: str) -> str:
    value = credentials.get(name, "").strip()
    if not value:
        raise LoginFailed(f"Enter the {name.replace('_', ' ')} first")
    return value


def _auth_root() -> str:
    return root_of("dhan", real=AUTH)

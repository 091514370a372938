"""Who is logged in at the simulated Dhan, and the three ways in."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from brokers.venue import IST

CLIENT = "1100000001"
PIN = "112233"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - of a demo that has no money
API_KEY = "dhan-demo-key"
API_SECRET = "dhan-demo-secret"  # noqa: S105 - of a demo that has no money
PASTED = "dhan-demo-token"
RETURN_ADDRESS = "http://127.0.0.1:8000/brokers/callback/"

DEMO_CREDENTIALS = {
    "client id": f"{CLIENT} (or any other number)",
    "PIN": PIN,
    "TOTP secret": TOTP_SECRET,
    "API key": API_KEY,
    "API secret": API_SECRET,
    "access token to paste": f"{PASTED}-{CLIENT}",
}
_GOOD_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Session:
    client: str
    expires_at: datetime


class Tokens:
    """The tokens handed out. A pasted demo token is good from the start, until it is expired."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self.begin()

    def begin(self) -> None:
        """Forget every login."""
        self._sessions: dict[str, Session] = {}
        self._dead: set[str] = set()
        self._consents: dict[str, str] = {}

    def session(self, token: str) -> Session | None:
        """Return who is logged in with the token; None when nobody is, or no longer."""
        if token in self._dead:
            return None
        if token.startswith(f"{PASTED}-") and token not in self._sessions:
            self._open(token, token.removeprefix(f"{PASTED}-"))
        found = self._sessions.get(token)
        return found if found is not None and found.expires_at > self._clock() else None

    def issue(self, client: str) -> dict[str, object]:
        """Hand out a token as the login server words it."""
        token = f"eyJhbGciOiJIUzUxMiJ9.{client}.{next(self._numbers):06d}"
        session = self._open(token, client)
        local = session.expires_at.astimezone(IST).replace(tzinfo=None)
        return {
            "dhanClientId": client,
            "dhanClientName": "DEMO TRADER",
            "dhanClientUcc": f"U{client}",
            "givenPowerOfAttorney": False,
            "accessToken": token,
            "expiryTime": local.isoformat(timespec="milliseconds"),
        }

    def expire(self, client: str | None) -> None:
        """End the sessions of one client, or of all."""
        for token, session in self._sessions.items():
            if client in (None, session.client):
                self._dead.add(token)

    def consent(self, client: str) -> str:
        name = f"consent-{next(self._numbers)}"
        self._consents[name] = client
        return name

    def consented(self, name: str) -> str:
        """Turn a consent into a token id, once a person has agreed; "" when there is none."""
        client = self._consents.pop(name, "")
        if not client:
            return ""
        token_id = f"tokenid-{next(self._numbers)}"
        self._consents[token_id] = client
        return token_id

    def consume(self, token_id: str) -> str:
        """Return whose the token id is, once; "" when there is none."""
        return self._consents.pop(token_id, "") if token_id.startswith("tokenid-") else ""

    def is_right_code(self, code: str) -> bool:
        return pyotp.TOTP(TOTP_SECRET).verify(code, for_time=self._clock(), valid_window=1)

    def _open(self, token: str, client: str) -> Session:
        session = Session(client, self._clock() + _GOOD_FOR)
        self._sessions[token] = session
        return session


async def generate_access_token(request: Request) -> Response:
    asked, tokens = request.query_params, _tokens(request)
    client = asked.get("dhanClientId", "")
    if not client.isdigit() or asked.get("pin") != PIN:
        return JSONResponse({"status": "error", "message": "Invalid Pin"}, 400)
    if not tokens.is_right_code(asked.get("totp", "")):
        return JSONResponse({"status": "error", "message": "Invalid TOTP"}, 400)
    return JSONResponse(tokens.issue(client))


async def generate_consent(request: Request) -> Response:
    client = request.query_params.get("client_id", "")
    if not _is_app(request) or not client.isdigit():
        return JSONResponse({"status": "error", "message": "Invalid app id or secret"}, 401)
    named = _tokens(request).consent(client)
    answer = {"consentAppId": named, "consentAppStatus": "GENERATED", "status": "success"}
    return JSONResponse(answer)


async def sign_in(request: Request) -> Response:
    """Agree at once, as a person on Dhan's page would, and go back with the token id."""
    token_id = _tokens(request).consented(request.query_params.get("consentAppId", ""))
    if not token_id:
        return HTMLResponse("<h1>This consent is not known</h1>", 400)
    back = request.query_params.get("redirect", RETURN_ADDRESS)
    return RedirectResponse(f"{back}?tokenId={token_id}", 302)


async def consume_consent(request: Request) -> Response:
    client = _tokens(request).consume(request.query_params.get("tokenId", ""))
    if not _is_app(request) or not client:
        return JSONResponse({"status": "error", "message": "Invalid token id"}, 400)
    return JSONResponse(_tokens(request).issue(client))


def _is_app(request: Request) -> bool:
    told = request.headers
    return told.get("app_id") == API_KEY and told.get("app_secret") == API_SECRET


def _tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.dhan.tokens
    return tokens

"""Kite's login page and its token endpoints, for a demo client."""

from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from brokers.simulator.kite.answers import KiteError, success
from brokers.simulator.kite.desk import KiteDesk
from brokers.simulator.kite.portfolio import EXCHANGES, ORDER_TYPES, PRODUCTS, profile_of
from brokers.simulator.kite.rows import stamp
from brokers.simulator.kite.sessions import API_KEY, CLIENT

# Where the app's owner has told Kite to send people back to; the page lets one change it.
REDIRECT_URL = "http://localhost:8000/brokers/callback/kite/"
_PAGE = """<!doctype html><title>Simulated Kite</title>
<h1>Simulated Kite login</h1>
<form method="post">
<p><label>Client ID <input name="user_id" value="{client}"></label>
<p><label>Return to <input name="redirect_url" value="{redirect}" size="60"></label>
<p><button name="action" value="login">Log in</button>
<button name="action" value="cancel">Cancel</button>
</form>"""


class LoginPages:
    """``redirect_url`` is what the app was registered with."""

    def __init__(self, desk: KiteDesk, *, redirect_url: str = REDIRECT_URL) -> None:
        self._desk = desk
        self._redirect_url = redirect_url

    def routes(self) -> list[Route]:
        return [
            Route("/connect/login", self._page, methods=["GET"]),
            Route("/connect/login", self._sign_in, methods=["POST"]),
            Route("/session/token", self._open, methods=["POST"]),
            Route("/session/token", self._close, methods=["DELETE"]),
        ]

    async def _page(self, request: Request) -> Response:
        if request.query_params.get("api_key") != API_KEY:
            return HTMLResponse("<h1>Invalid `api_key`</h1>", 400)
        redirect = request.query_params.get("redirect_url", self._redirect_url)
        return HTMLResponse(_PAGE.format(client=CLIENT, redirect=escape(redirect)))

    async def _sign_in(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode()))
        answer = {"action": "login", "type": "login", "status": "cancelled"}
        if fields.get("action", "login") == "login":
            token = self._desk.sessions.sign_in(fields.get("user_id") or CLIENT)
            answer |= {"status": "success", "request_token": token}
        answer |= dict(parse_qsl(request.query_params.get("redirect_params", "")))
        back = fields.get("redirect_url") or self._redirect_url
        return RedirectResponse(f"{back}?{urlencode(answer)}", 302)

    async def _open(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode()))
        try:
            client, token = self._desk.sessions.open(
                api_key=fields.get("api_key", ""),
                request_token=fields.get("request_token", ""),
                checksum=fields.get("checksum", ""),
            )
        except KiteError as error:
            return error.response()
        return success(
            {
                **profile_of(client),
                "exchanges": EXCHANGES,
                "products": PRODUCTS,
                "order_types": ORDER_TYPES,
                "api_key": API_KEY,
                "access_token": token,
                "public_token": token[:16],
                "enctoken": token[::-1],
                "refresh_token": "",
                "silo": "",
                "login_time": stamp(self._desk.broker.clock()),
            }
        )

    async def _close(self, request: Request) -> Response:
        self._desk.sessions.close(request.query_params.get("access_token", ""))
        return success(True)

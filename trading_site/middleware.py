"""One shell per request, shared by the view and the templates around it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from accounts.http import UserRequest
from trading_site.context import Shell


class PageRequest(UserRequest):
    """A signed-in person's request with the shell of its page."""

    shell: Shell


class ShellMiddleware:
    """Set ``request.shell``; it costs nothing until a view or template reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.shell = Shell(request)  # type: ignore[attr-defined]  # see PageRequest
        return self.get_response(request)

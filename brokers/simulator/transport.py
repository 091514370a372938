"""Faults between the wire and a handler: late, lost, refused and mangled answers."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from brokers.simulator.dialect import Dialect
from brokers.simulator.faults import FaultName, Faults
from brokers.simulator.limits import RateCounter
from brokers.simulator.recording import RecordedRequest, RequestLog

CONTROL_PREFIX = "/_sim"
_DELAY_SECONDS = 8.0
_HEAD_START_SECONDS = 0.3
_NAP_SECONDS = 0.02
_BAD_GATEWAY = 502
_ERROR_PAGE = "<html><head><title>{status}</title></head><body><h1>{words}</h1></body></html>"


class FaultyTransport:
    """The outermost layer of a wire app: notes requests, counts them and spoils answers."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        faults: Faults,
        dialect: Dialect,
        log: RequestLog,
        counter: RateCounter,
    ) -> None:
        self._app = app
        self._faults = faults
        self._dialect = dialect
        self._log = log
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            await self._app(scope, receive, send)
            return
        call = _Call(scope, receive, await _whole_body(receive))
        self._log.add(call.recorded)
        refusal = self._refusal(call)
        if refusal is not None:
            await refusal(scope, call.receive, send)
            return
        answer = await self._answer(call)
        await self._spoil(call, answer, send)

    def _refusal(self, call: "_Call") -> Response | None:
        """Return what is answered instead of running the handler, None to run it."""
        dialect, request = self._dialect, call.request
        limits = dialect.limits(call.method, call.path)
        is_over = bool(limits) and not self._counter.allows(dialect.client_of(request), limits)
        if is_over or self._take(FaultName.RATE_LIMITED, call):
            return dialect.rate_limited(request)
        is_write = dialect.is_order_write(call.method, call.path)
        if is_write and self._take(FaultName.WRONG_IP, call):
            return dialect.wrong_ip(request)
        needs_token = dialect.is_authenticated(call.method, call.path)
        if needs_token and self._take(FaultName.EXPIRED_TOKEN, call):
            return dialect.expired_token(request)
        return self._server_error(FaultName.SERVER_ERROR_BEFORE, call)

    async def _answer(self, call: "_Call") -> list[Message]:
        """Run the handler to its end, whatever becomes of its answer."""
        is_racing = self._faults.is_on(FaultName.FILL_BEFORE_ORDER, "place")
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(call.scope, call.receive, keep)
        if is_racing and not self._faults.is_on(FaultName.FILL_BEFORE_ORDER, "place"):
            # The stream's frame is on its way; the answer lets it overtake.
            await self._pause(_HEAD_START_SECONDS)
        return messages

    async def _spoil(self, call: "_Call", answer: list[Message], send: Send) -> None:
        # Every shot is taken before the pause: one armed meanwhile is meant for a later call.
        delay = self._faults.take(FaultName.DELAY, call.path, method=call.method)
        is_dropped = self._take(FaultName.DROP_REPLY, call)
        instead = None if is_dropped else self._instead(call, answer)
        if delay is not None:
            await self._pause(_DELAY_SECONDS if delay.seconds is None else delay.seconds)
        if is_dropped:
            await call.hang_up()
        elif instead is not None:
            await instead(call.scope, call.receive, send)
        else:
            for message in answer:
                await send(message)

    def _instead(self, call: "_Call", answer: list[Message]) -> Response | None:
        """Return what is answered in the place of the handler's answer, None to let that go."""
        error = self._server_error(FaultName.SERVER_ERROR_AFTER, call)
        if error is not None:
            return error
        if self._take(FaultName.HTML_200, call):
            return HTMLResponse(_ERROR_PAGE.format(status="Welcome", words="Please log in"))
        return _half_of(answer) if self._take(FaultName.TRUNCATED_JSON, call) else None

    def _take(self, name: FaultName, call: "_Call") -> bool:
        return self._faults.take(name, call.path, method=call.method) is not None

    def _server_error(self, name: FaultName, call: "_Call") -> Response | None:
        fault = self._faults.take(name, call.path, method=call.method)
        if fault is None:
            return None
        status = fault.amount or _BAD_GATEWAY
        return HTMLResponse(_ERROR_PAGE.format(status=status, words="Bad Gateway"), status)

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._faults.is_released:
            await asyncio.sleep(min(_NAP_SECONDS, max(until - time.monotonic(), 0)))


class _Call:
    """One request whose body was read already, and the connection it came on."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.request = Request(scope)
        self.recorded = RecordedRequest(
            method=self.method,
            path=self.path,
            query=scope["query_string"].decode("latin-1"),
            headers=dict(self.request.headers),
            body=body,
        )
        self._receive = receive
        self._is_told = False

    async def receive(self) -> Message:
        if self._is_told:
            return await self._receive()
        self._is_told = True
        return {"type": "http.request", "body": self.recorded.body, "more_body": False}

    async def hang_up(self) -> None:
        """Close the TCP connection under the request; nothing of an answer was written."""
        self.scope["brokersim.transport"].close()
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def _whole_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body"):
            return body


def _half_of(answer: list[Message]) -> Response:
    """Keep the status and the type, and end a well-formed answer in the middle of its text."""
    body = b"".join(message.get("body", b"") for message in answer)
    head = answer[0]
    headers = {name.decode(): value.decode() for name, value in head["headers"]}
    headers.pop("content-length", None)
    return Response(body[: len(body) // 2], head["status"], headers=headers)

"""How SmartAPI says yes and no: it has two shapes for no."""

import json
from collections.abc import Mapping

from starlette.responses import JSONResponse, PlainTextResponse, Response

RATE_WORDS = "Access denied because of exceeding access rate"
Body = Mapping[str, object]


class Refuse(Exception):
    """A refusal in the shape of the order systems; ``is_gateway`` in that of the gateway before."""

    def __init__(self, code: str, message: str, *, is_gateway: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_gateway = is_gateway

    def response(self) -> Response:
        if self.is_gateway:
            return JSONResponse(
                {"success": False, "message": self.message, "errorCode": self.code, "data": ""}
            )
        return JSONResponse(
            {"status": False, "message": self.message, "errorcode": self.code, "data": None}
        )


def something_wrong() -> Refuse:
    """SmartAPI's generic refusal."""
    return Refuse("AB1004", "Something Went Wrong, Please Try After Sometime")


def told(data: object) -> Response:
    return JSONResponse({"status": True, "message": "SUCCESS", "errorcode": "", "data": data})


def rate_limited() -> Response:
    return PlainTextResponse(RATE_WORDS, 403)


def body_of(raw: bytes) -> Body:
    """:raises Refuse: when it is no JSON object."""
    try:
        found = json.loads(raw or b"{}")
    except ValueError:
        raise something_wrong() from None
    if not isinstance(found, dict):
        raise something_wrong()
    return found


def listed(body: Body, name: str) -> list[Body]:
    """:raises Refuse: when the field is no list of objects."""
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise something_wrong()
    return found


def text(body: Body, name: str) -> str:
    value = body.get(name)
    return "" if value is None else str(value).strip()

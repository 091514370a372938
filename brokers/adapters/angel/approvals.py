"""Selling shares from the demat account: the approval at CDSL, prepared by Angel One."""

from typing import Any

from django.utils.html import format_html, format_html_join

from brokers.adapters.angel.line import AngelLine
from brokers.values import Unreadable

CDSL = "https://edis.cdslindia.com/eDIS/VerifyDIS/"
_FIELDS = (
    ("DPId", "DPId"),
    ("ReqId", "ReqId"),
    ("Version", "version"),
    ("TransDtls", "TransDtls"),
)


class ApprovesSales:
    """The approval is given once a day by the person, with the TPIN, on CDSL's own page."""

    line: AngelLine

    def authorisation_page(self, isin: str, quantity: int) -> str:
        """Return the form that takes the person to CDSL.

        :raises GatewayUnavailable: also when today's approval has been given already.
        """
        asked = {"isin": isin, "quantity": str(quantity)}
        return self.line.read(
            "approval form", lambda client: client.verifyDis(asked), approval_form
        )


def approval_form(data: Any) -> str:
    """:raises Unreadable: when something that CDSL wants is missing."""
    if not isinstance(data, dict) or any(not data.get(field) for _, field in _FIELDS):
        raise Unreadable("the approval lacks what CDSL wants")
    hidden = format_html_join(
        "",
        '<input type="hidden" name="{}" value="{}">',
        ((name, data[field]) for name, field in _FIELDS),
    )
    return format_html(
        '<form method="post" action="{}">{}<button type="submit">Approve at CDSL</button></form>',
        CDSL,
        hidden,
    )

"""``{% load pinnacle %}``: figures, times and icons for every page.

Filters take None, and what a template cannot find, and answer an en dash.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations import figures

register = template.Library()

# A template hands filters an empty string for what it cannot find, such as the price of no quote.
Shown = figures.Figure | Literal[""]


def _known(amount: Shown) -> figures.Figure:
    return None if amount == "" else amount


@register.filter
def rupees(amount: Shown, decimals: int = 2) -> str:
    """``{{ 1234567.8|rupees }}`` is 12,34,567.80; ``|rupees:0`` drops the paise."""
    return figures.rupees(_known(amount), decimals)


@register.filter
def signed(amount: Shown, decimals: int = 2) -> str:
    """``{{ profit|signed }}`` is +860.50 or −860.50."""
    return figures.signed(_known(amount), decimals)


@register.filter
def direction(amount: Shown) -> str:
    """``class="{{ profit|direction }}"`` is up, down or empty."""
    return figures.direction(_known(amount))


@register.filter
def percent(share: Shown, decimals: int = 2) -> str:
    """``{{ 1.538|percent }}`` is +1.54%."""
    return figures.percent(_known(share), decimals)


@register.filter
def share(part: Shown, decimals: int = 1) -> str:
    """Write a part of a whole: ``{{ 59.84|share }}`` is 59.8%, without a sign."""
    return figures.NOTHING if _known(part) is None else f"{figures.rupees(_known(part), decimals)}%"


@register.filter
def price(amount: Shown, tick: Decimal | None = None) -> str:
    """``{{ order.price|price:instrument.tick_size }}``: decimals as the tick has them."""
    return figures.price(_known(amount), tick or None)


@register.filter
def quantity(units: int | Literal[""] | None) -> str:
    """``{{ 150000|quantity }}`` is 1,50,000."""
    return figures.rupees(_known(units), 0)


@register.filter
def money(amount: figures.Figure | Literal[""], currency: str) -> str:
    """``{{ trade.value|money:account.currency }}`` is ₹2,702.20 or USD 2,702.20."""
    return figures.money(_known(amount), currency)


@register.filter
def currency_sign(currency: str) -> str:
    """₹ for rupees; the code of any other currency."""
    return figures.sign_of(currency).strip()


@register.filter
def signed_quantity(units: int | Literal[""] | None) -> str:
    """``{{ -150|signed_quantity }}`` is −150, as positions show it."""
    return figures.signed(_known(units), 0)


@register.filter
def ist_time(at: datetime | None) -> str:
    """13:42:18 in Kolkata."""
    return figures.ist_time(at)


@register.filter
def ist_minute(at: datetime | None) -> str:
    """13:42 in Kolkata."""
    return figures.ist_minute(at)


@register.filter
def ist_when(at: datetime | None) -> str:
    """13:42:18 in Kolkata where it was today, else 19 Jun, 13:42."""
    return figures.ist_when(at, now=timezone.now())


@register.filter
def ist_moment(at: datetime | None) -> str:
    """19 Aug 2026, 13:42:18 in Kolkata."""
    return figures.ist_moment(at)


@register.filter
def age(at: datetime | None, now: datetime) -> str:
    """``{{ quote.as_of|age:now }}`` is "3 min old"."""
    return figures.NOTHING if at is None else figures.age(int((now - at).total_seconds()))


@register.filter
def seconds_since(at: datetime) -> int:
    """How many whole seconds ago that was; the page counts on by itself."""
    return max(int((timezone.now() - at).total_seconds()), 0)


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Draw an icon of the sprite; it is decoration, so name it beside it or in ``aria-label``."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f"i {classes}".strip(),
        static("vendor/icons.svg"),
        name,
    )

"""Figures as an Indian trader reads them: 12,34,567.80, a true minus sign, IST.

Amounts are stored with four decimals and rounded here, once, for the eye: half up.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")
MINUS = "−"
NOTHING = "–"

Figure = Decimal | int | None


def rupees(amount: Figure, decimals: int = 2) -> str:
    """Write an amount in lakhs and crores, with a sign only when it is negative."""
    if amount is None:
        return NOTHING
    rounded = _rounded(amount, decimals)
    return (MINUS if rounded < 0 else "") + _grouped(rounded)


def money(amount: Figure, currency: str, decimals: int = 2) -> str:
    """Write an amount with its currency: ₹2,702, USD 2,702 or −₹2,702."""
    written = rupees(amount, decimals)
    if amount is None:
        return written
    sign, figure = (MINUS, written[1:]) if written.startswith(MINUS) else ("", written)
    return f"{sign}{sign_of(currency)}{figure}"


def sums(by_currency: Mapping[str, Decimal], decimals: int = 2) -> str:
    """Write amounts of several currencies, which cannot be added: ₹4,000 and USD 2,702."""
    written = [money(amount, currency, decimals) for currency, amount in by_currency.items()]
    return " and ".join(written) or money(0, "INR", decimals)


def gain(amount: Decimal, currency: str) -> str:
    """Write money gained or lost: +₹2,702.20 or −₹2,702.20."""
    written = money(amount, currency)
    return f"+{written}" if amount > 0 else written


def sign_of(currency: str) -> str:
    return "₹" if currency == "INR" else f"{currency} "


def signed(amount: Figure, decimals: int = 2) -> str:
    """Write a gain or a loss: always with its sign, except nothing at all."""
    if amount is None:
        return NOTHING
    rounded = _rounded(amount, decimals)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return sign + _grouped(rounded)


def direction(amount: Figure, decimals: int = 2) -> str:
    """Name the colour of a gain or a loss; none for what shows as zero."""
    rounded = _rounded(amount or 0, decimals)
    return "up" if rounded > 0 else "down" if rounded < 0 else ""


def price(amount: Figure, tick: Decimal | None = None) -> str:
    """Write a price with as many decimals as its tick has, and never fewer than two."""
    return rupees(amount, price_decimals(tick))


def price_decimals(tick: Decimal | None) -> int:
    if tick is None:
        return 2
    exponent = tick.normalize().as_tuple().exponent
    return max(2, -exponent) if isinstance(exponent, int) else 2


def percent(share: Figure, decimals: int = 2) -> str:
    """Write a percentage that is a gain or a loss, with its sign."""
    return NOTHING if share is None else f"{signed(share, decimals)}%"


def age(seconds: int) -> str:
    """Say how old a number is, in the words of the stale mark."""
    if seconds < 90:
        return f"{seconds} s old"
    if seconds < 90 * 60:
        return f"{seconds // 60} min old"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h old"
    return f"{seconds // 86400} days old"


def ist_time(at: datetime | None) -> str:
    return f"{at.astimezone(IST):%H:%M:%S}" if at else NOTHING


def ist_minute(at: datetime | None) -> str:
    return f"{at.astimezone(IST):%H:%M}" if at else NOTHING


def ist_when(at: datetime | None, *, now: datetime) -> str:
    """Write the time of today, and the day with it of any other: 19 Jun, 15:10."""
    if at is None:
        return NOTHING
    local, today = at.astimezone(IST), now.astimezone(IST).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M}"


def ist_moment(at: datetime | None) -> str:
    """Write day and time, for what may not be today."""
    if at is None:
        return NOTHING
    local = at.astimezone(IST)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


def _rounded(amount: Decimal | int, decimals: int) -> Decimal:
    return Decimal(amount).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def _grouped(amount: Decimal) -> str:
    whole, _, fraction = f"{abs(amount):f}".partition(".")
    head, last = whole[:-3], whole[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    grouped = ",".join([*reversed(pairs), last])
    return f"{grouped}.{fraction}" if fraction else grouped

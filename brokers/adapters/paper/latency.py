"""How long an order takes to the exchange: 100 to 300 ms, the same for the same order always."""

from datetime import timedelta
from hashlib import sha256


def acknowledgement_delay(number: int) -> timedelta:
    digest = sha256(f"paper order {number}".encode()).digest()
    return timedelta(milliseconds=100 + int.from_bytes(digest[:4], "big") % 201)

"""The frames that subscribe at Angel One's price stream. Pure."""

import json
from collections.abc import Sequence

EXCHANGE_TYPES = {"NSE": 1, "NFO": 2, "BSE": 3, "BFO": 4, "MCX": 5, "NCDEX": 7, "CDS": 13}


def subscription(places: Sequence[tuple[int, str]], *, mode: int, is_on: bool, number: int) -> str:
    """Return one request; ``number`` is echoed in its ten-character id when it is refused."""
    tokens: dict[int, list[str]] = {}
    for kind, token in places:
        tokens.setdefault(kind, []).append(token)
    return json.dumps(
        {
            "correlationID": f"s{number:09d}",
            "action": 1 if is_on else 0,
            "params": {
                "mode": mode,
                "tokenList": [
                    {"exchangeType": kind, "tokens": listed} for kind, listed in tokens.items()
                ],
            },
        }
    )

"""The vendor's own recorded answers, where they are at hand; nothing of them is kept here."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("KITE_RESPONSES", "../shared/data/kite_responses"))

needs_recordings = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the vendor's recorded responses are not here"
)


def recorded_names(ending: str) -> list[str]:
    return sorted(path.name for path in FOLDER.glob(f"*{ending}")) if FOLDER.is_dir() else []


def recorded(name: str) -> str:
    return (FOLDER / name).read_text()


def recorded_data(name: str) -> Any:
    """Return the data of an answer, its numbers exact."""
    told = json.loads(recorded(name), parse_float=Decimal)
    return told.get("data", told)


def key_of(exchange: str, token: str) -> str:
    return f"{exchange}:{token}"

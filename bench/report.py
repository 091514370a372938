"""The figures as a Markdown table, with what they were measured on."""

import os
import platform
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from bench.figures import Figures, Meaning, meanings

_GIBIBYTE = 1024**3


def describe_machine() -> str:
    """Say in a sentence when, on what and how busy the machine was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y} with Python {platform.python_version()} and "
        f"{_database()}, on {os.cpu_count()} cores and {memory:.0f} GB of memory; "
        f"load average when it ended {os.getloadavg()[0]:.1f}."
    )


def _database() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]} (fsync off) and Redis"


def table(found: Mapping[str, Figures]) -> str:
    rows = ["| | Figure | Value | Target | What it is |", "|---|---|---:|---:|---|"]
    for title, figures in found.items():
        for number, (meaning, value) in enumerate(meanings(figures)):
            rows.append(_row("" if number else title, meaning, value))
    return "\n".join(rows)


def _row(title: str, meaning: Meaning, value: float) -> str:
    target = "" if meaning.at_most is None else f"≤ {_number(meaning.at_most)}"
    if meaning.at_most is not None and value > meaning.at_most:
        target = f"**{target}, missed**"
    shown = f"{_number(value)} {meaning.unit}".strip()
    return f"| {title} | {meaning.label} | {shown} | {target} | {meaning.words} |"


def _number(value: float) -> str:
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write_down(text: str, document: Path, *, section: str) -> None:
    """Put the text between the section's two markers.

    :raises ValueError: when the document does not have them.
    """
    begin, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->"
    before, found_begin, rest = document.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{document} has no section {section}")
    document.write_text(f"{before}{begin}{text}\n{found_end}{after}")

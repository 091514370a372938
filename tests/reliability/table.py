"""The table fault × broker × outcome in docs/reliability.md: held against every run, or rewritten.

Set ``WRITE_RELIABILITY=1`` to rewrite it from what the tests have just seen.
"""

import os
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- outcomes -->", "<!-- /outcomes -->"
Outcomes = dict[tuple[str, str], str]


def written() -> Outcomes:
    """Return what the page says: (fault, broker) to the outcome in words."""
    rows = [line.strip("|").split("|") for line in _table() if line.startswith("|")]
    if not rows:
        return {}
    brokers = [cell.strip() for cell in rows[0][1:]]
    return {
        (row[0].strip(), broker): cell.strip()
        for row in rows[2:]
        for broker, cell in zip(brokers, row[1:], strict=True)
    }


def is_rewriting() -> bool:
    return os.environ.get("WRITE_RELIABILITY") == "1"


def rewrite(seen: Outcomes) -> None:
    """Put what was seen into the page; what was not seen in this run stays as it was."""
    outcomes = {**written(), **seen}
    faults = list(dict.fromkeys(fault for fault, _ in outcomes))
    brokers = sorted({broker for _, broker in outcomes})
    lines = [f"| fault | {' | '.join(brokers)} |", "|---" * (len(brokers) + 1) + "|"]
    for fault in faults:
        cells = [outcomes.get((fault, broker), "not tried") for broker in brokers]
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    text = PAGE.read_text()
    head, tail = text.split(_BEGIN)[0], text.split(_END)[1]
    PAGE.write_text(f"{head}{_BEGIN}\n" + "\n".join(lines) + f"\n{_END}{tail}")


def _table() -> list[str]:
    text = PAGE.read_text()
    return text.split(_BEGIN)[1].split(_END)[0].strip().splitlines()

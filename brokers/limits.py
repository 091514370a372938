"""How many calls a broker takes: its published figures as dated rows, adapters give their own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` calls of an endpoint class in any ``seconds``, from a day on.

    Calls are counted by the calendar (the broker's second, minute, hour, day) and over a rolling
    window alike; the stricter holds. ``source`` says where the figure was published.
    """

    endpoint: str
    count: int
    seconds: int
    effective_from: date
    source: str


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """Calls whose method and path match belong to one endpoint class."""

    endpoint: str
    method: str
    pattern: str

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and re.fullmatch(self.pattern, path) is not None


OTHER = "other"


def endpoint_of(rules: Sequence[EndpointRule], *, method: str, path: str) -> str:
    """Return the class of the first rule that matches, ``other`` where none does."""
    for rule in rules:
        if rule.matches(method, path):
            return rule.endpoint
    return OTHER


def in_force(limits: Sequence[Limit], *, endpoint: str, on: date) -> list[Limit]:
    """Return each window's newest figure for the endpoint, as published by that day."""
    newest: dict[int, Limit] = {}
    for limit in sorted(limits, key=lambda each: each.effective_from):
        if limit.endpoint == endpoint and limit.effective_from <= on:
            newest[limit.seconds] = limit
    return [newest[seconds] for seconds in sorted(newest)]

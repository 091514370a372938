"""Every address of the product, so that a page added tomorrow is looked at as well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

OTHERS = ("admin",)  # Django's own pages
STREAM = "stream"  # never ends
# What an address of this name needs besides, to show more than a refusal.
QUERIES = {
    "market:search": "q=rel",
    "orders:new": "instrument=SIM:RELIANCE",
    "orders:exit": "which=all",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A route's full name and the parameters that it takes."""

    name: str
    parameters: tuple[str, ...]

    @property
    def area(self) -> str:
        """The part of the product it belongs to."""
        return self.name.partition(":")[0] if ":" in self.name else "frame"

    def filled(self, values: Mapping[str, object]) -> str:
        """:raises KeyError: where nobody has said what a parameter of that name may be."""
        taken = {name: values[f"{self.name} {name}"] if f"{self.name} {name}" in values
                 else values[name] for name in self.parameters}  # fmt: skip
        path = reverse(self.name, kwargs=taken)
        return f"{path}?{QUERIES[self.name]}" if self.name in QUERIES else path


def addresses() -> list[Address]:
    return list(_of(get_resolver().url_patterns, namespace="", taken=()))


def areas() -> list[str]:
    return sorted({address.area for address in addresses()})


def pages(client: Client, area: str, values: Mapping[str, object] | None = None) -> Iterator[str]:
    """Yield the paths in an area that answer a whole page to whoever is signed in.

    Without values only those that take no parameter.
    """
    for address in addresses():
        if address.area != area or (values is None and address.parameters):
            continue
        path = address.filled(values or {})
        answer = client.get(path)
        if answer.status_code == 200 and b"</html>" in getattr(answer, "content", b""):
            yield path


def _of(
    patterns: Sequence[URLPattern | URLResolver], *, namespace: str, taken: tuple[str, ...]
) -> Iterator[Address]:
    for pattern in patterns:
        parameters = (*taken, *pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            if pattern.namespace not in OTHERS:
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from _of(pattern.url_patterns, namespace=inner, taken=parameters)
        elif pattern.name and pattern.name != STREAM:
            yield Address(f"{namespace}{pattern.name}", parameters)

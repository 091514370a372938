"""What a measurement tells: a frozen dataclass whose fields say their unit and meaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median, quantiles
from typing import Any, ClassVar, Protocol, TypeVar

THOUSANDTHS = 1000.0
_KEY = "meaning"


@dataclass(frozen=True, slots=True)
class Meaning:
    """``at_most`` is the target, where there is one."""

    label: str
    unit: str
    words: str
    at_most: float | None = None


class Figures(Protocol):
    """A frozen dataclass of floats, each declared with :func:`figure`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


F = TypeVar("F", bound=Figures)


def figure(
    label: str, unit: str, words: str, *, at_most: float | None = None
) -> Mapping[str, Meaning]:
    """Return the metadata of a figure's field."""
    return {_KEY: Meaning(label, unit, words, at_most)}


def meanings(figures: Figures) -> list[tuple[Meaning, float]]:
    return [(each.metadata[_KEY], getattr(figures, each.name)) for each in fields(figures)]


def median_of(rounds: Sequence[F]) -> F:
    """Return each figure's own median over the rounds."""
    kind = type(rounds[0])
    return kind(
        **{
            each.name: median(getattr(one, each.name) for one in rounds)
            for each in fields(rounds[0])
        }
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that ``percent`` of the values do not exceed, interpolated."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]

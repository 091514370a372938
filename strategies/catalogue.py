"""The algorithms this house can run, by name. A new one is a new file and a line here."""

from collections.abc import Mapping

from strategies.algorithms.algorithm import Algorithm
from strategies.algorithms.price_breakout import PriceBreakout
from strategies.algorithms.price_threshold import PriceThreshold
from strategies.algorithms.rsi_dmi import RsiDmi
from strategies.parameters import (
    Parameter,
    ParametersInvalid,
    declared_parameters,
    parse_parameters,
    to_json,
)

ALGORITHMS: dict[str, type[Algorithm]] = {
    "price_breakout": PriceBreakout,
    "price_threshold": PriceThreshold,
    "rsi_dmi": RsiDmi,
}


class UnknownAlgorithm(Exception):
    """No code is called that."""


def parameters_of(name: str) -> tuple[Parameter, ...]:
    """List what the algorithm lets a person set, for a form or a page.

    :raises UnknownAlgorithm: when there is none of that name.
    """
    return declared_parameters(_algorithm(name))


def build_algorithm(name: str, values: Mapping[str, object]) -> Algorithm:
    """Return the algorithm with these settings, defaults where none are given.

    :raises UnknownAlgorithm: when there is none of that name.
    :raises ParametersInvalid: when a setting is unknown, out of its limits, or contradicts another.
    """
    algorithm = _algorithm(name)(**parse_parameters(parameters_of(name), values))
    contradictions = algorithm.contradictions()
    if contradictions:
        raise ParametersInvalid(contradictions)
    return algorithm


def default_parameters(name: str) -> dict[str, int | bool | str]:
    """Return an algorithm's defaults as the catalogue's row keeps them."""
    return to_json({parameter.name: parameter.default for parameter in parameters_of(name)})


def _algorithm(name: str) -> type[Algorithm]:
    if name not in ALGORITHMS:
        raise UnknownAlgorithm(f"No algorithm is called {name}")
    return ALGORITHMS[name]

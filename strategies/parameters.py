"""What a strategy lets a person set: its name, kind, limits and words, declared once.

The declaration sits on the algorithm's own fields and serves three readers: the check of what a
person typed, the form that asks for it, and the catalogue's defaults.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import cast

ParameterValue = int | Decimal | bool | str
Choices = tuple[tuple[str, str], ...]

_YES = {"true": True, "on": True, "yes": True, "1": True}
_NO = {"false": False, "off": False, "no": False, "0": False, "": False}


class Kind(StrEnum):
    WHOLE = "whole"
    DECIMAL = "decimal"
    YES_NO = "yes_no"
    CHOICE = "choice"


class ParameterRefused(Exception):
    """A value does not fit its parameter; the text says what would."""


class ParametersInvalid(Exception):
    """Values that do not fit; ``errors`` has the words by parameter name."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(words)}" for name, words in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing a person can set. ``words`` is a whole phrase, fit for a label."""

    name: str
    kind: Kind
    default: ParameterValue
    words: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    choices: Choices = ()

    def parse(self, raw: object) -> ParameterValue:
        """Return the value that JSON or a form field stands for.

        :raises ParameterRefused: when it is of another kind or outside the limits.
        """
        if self.kind is Kind.YES_NO:
            return self._parse_yes_no(raw)
        if self.kind is Kind.CHOICE:
            return self._parse_choice(raw)
        number = self._parse_number(raw)
        self._check_limits(number)
        return int(number) if self.kind is Kind.WHOLE else number

    @property
    def limits(self) -> str:
        """The limits in words: ``from 2 to 100``, or empty when there are none."""
        if self.minimum is None or self.maximum is None:
            return ""
        return f"from {self.minimum} to {self.maximum}"

    def _parse_yes_no(self, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        word = str(raw).strip().lower()
        if word not in _YES and word not in _NO:
            raise ParameterRefused("Say yes or no.")
        return word in _YES

    def _parse_choice(self, raw: object) -> str:
        if raw not in dict(self.choices):
            labels = ", ".join(label for _, label in self.choices)
            raise ParameterRefused(f"Choose one of: {labels}.")
        return str(raw)

    def _parse_number(self, raw: object) -> Decimal:
        # A bool is an int to Python, but nobody means 1 candle by "true".
        if isinstance(raw, bool):
            raise ParameterRefused("Enter a number.")
        try:
            number = Decimal(str(raw).strip())
        except InvalidOperation as error:
            raise ParameterRefused("Enter a number.") from error
        if not number.is_finite():
            raise ParameterRefused("Enter a number.")
        if self.kind is Kind.WHOLE and number != number.to_integral_value():
            raise ParameterRefused("Enter a whole number.")
        return number

    def _check_limits(self, number: Decimal) -> None:
        too_small = self.minimum is not None and number < self.minimum
        too_large = self.maximum is not None and number > self.maximum
        if too_small or too_large:
            raise ParameterRefused(f"It must be {self.limits}.")


def whole(words: str, *, default: int, minimum: int, maximum: int) -> int:
    """Declare a field that is a whole number within limits."""
    limits = {"minimum": Decimal(minimum), "maximum": Decimal(maximum)}
    return field(default=default, metadata={"kind": Kind.WHOLE, "words": words, **limits})


def decimal(words: str, *, default: str, minimum: str, maximum: str) -> Decimal:
    """Declare a field that is a number within limits, all three given as strings."""
    limits = {"minimum": Decimal(minimum), "maximum": Decimal(maximum)}
    return field(
        default=Decimal(default), metadata={"kind": Kind.DECIMAL, "words": words, **limits}
    )


def yes_no(words: str, *, default: bool) -> bool:
    """Declare a field that is on or off."""
    return field(default=default, metadata={"kind": Kind.YES_NO, "words": words})


def choice(words: str, *, default: str, choices: Choices) -> str:
    """Declare a field that is one of a few words; ``choices`` are (value, label)."""
    return field(
        default=default, metadata={"kind": Kind.CHOICE, "words": words, "choices": choices}
    )


def declared_parameters(algorithm: type) -> tuple[Parameter, ...]:
    """List what an algorithm lets a person set, in the order it declares it."""
    return tuple(
        Parameter(name=item.name, default=cast(ParameterValue, item.default), **item.metadata)
        for item in dataclasses.fields(algorithm)
    )


def parse_parameters(
    parameters: tuple[Parameter, ...], raw: Mapping[str, object]
) -> dict[str, ParameterValue]:
    """Return every parameter's value, the default where ``raw`` has none.

    :raises ParametersInvalid: when a name is not known or a value does not fit.
    """
    known = {parameter.name for parameter in parameters}
    errors = {name: ["This strategy has no such setting."] for name in raw if name not in known}
    values: dict[str, ParameterValue] = {}
    for parameter in parameters:
        try:
            values[parameter.name] = parameter.parse(raw.get(parameter.name, parameter.default))
        except ParameterRefused as refusal:
            errors[parameter.name] = [str(refusal)]
    if errors:
        raise ParametersInvalid(errors)
    return values


def to_json(values: Mapping[str, ParameterValue]) -> dict[str, int | bool | str]:
    """Return the values as JSON keeps them: a decimal as its string, so that it stays exact."""
    return {
        name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()
    }

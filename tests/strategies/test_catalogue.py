"""The catalogue's rows, as the migrations leave them, fit the code."""

import pytest

from strategies.catalogue import (
    ALGORITHMS,
    UnknownAlgorithm,
    build_algorithm,
    default_parameters,
    parameters_of,
)
from strategies.models import Strategy
from strategies.parameters import ParametersInvalid


class TestRows:
    @pytest.mark.django_db
    def test_are_the_algorithms_with_their_defaults(self) -> None:
        rows = {row.algorithm: row.parameters for row in Strategy.objects.filter(type="built-in")}
        assert rows == {name: default_parameters(name) for name in ALGORITHMS}


class TestBuildAlgorithm:
    def test_refuses_a_name_without_code(self) -> None:
        with pytest.raises(UnknownAlgorithm):
            build_algorithm("astrology", {})

    def test_refuses_settings_that_contradict_each_other(self) -> None:
        with pytest.raises(ParametersInvalid) as refusal:
            build_algorithm("price_breakout", {"entry_bars": 5, "exit_bars": 6})
        assert list(refusal.value.errors) == ["exit_bars"]

    @pytest.mark.parametrize("name", ALGORITHMS)
    def test_takes_every_default(self, name) -> None:
        assert build_algorithm(name, default_parameters(name)).contradictions() == {}


class TestParametersOf:
    @pytest.mark.parametrize("name", ALGORITHMS)
    def test_has_words_for_each(self, name) -> None:
        assert all(parameter.words for parameter in parameters_of(name))

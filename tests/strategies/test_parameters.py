from dataclasses import dataclass
from decimal import Decimal

import pytest

from strategies.parameters import (
    Kind,
    ParametersInvalid,
    choice,
    decimal,
    declared_parameters,
    parse_parameters,
    to_json,
    whole,
    yes_no,
)


@dataclass(frozen=True)
class Settings:
    candles: int = whole("Candles", default=20, minimum=2, maximum=100)
    buffer: Decimal = decimal("Buffer", default="0.5", minimum="0", maximum="10")
    allow_short: bool = yes_no("Sell short", default=False)
    measure: str = choice("Measure", default="a", choices=(("a", "First"), ("b", "Second")))


DECLARED = declared_parameters(Settings)


class TestDeclaredParameters:
    def test_keep_their_order_names_and_words(self) -> None:
        assert [each.name for each in DECLARED] == ["candles", "buffer", "allow_short", "measure"]
        assert DECLARED[0].words == "Candles"

    def test_know_their_kind_and_limits(self) -> None:
        assert DECLARED[0].kind is Kind.WHOLE
        assert DECLARED[1].limits == "from 0 to 10"
        assert DECLARED[2].limits == ""


class TestParseParameters:
    @pytest.mark.parametrize(
        ("name", "raw"),
        [
            ("candles", "many"),
            ("candles", "2.5"),
            ("candles", 1),
            ("candles", 101),
            ("candles", True),
            ("candles", None),
            ("buffer", "NaN"),
            ("buffer", "Infinity"),
            ("buffer", "-0.01"),
            ("allow_short", "perhaps"),
            ("measure", "c"),
            ("surprise", 1),
        ],
    )
    def test_refuses(self, name, raw) -> None:
        with pytest.raises(ParametersInvalid) as refusal:
            parse_parameters(DECLARED, {name: raw})
        assert list(refusal.value.errors) == [name]

    def test_tells_every_error_at_once(self) -> None:
        with pytest.raises(ParametersInvalid) as refusal:
            parse_parameters(DECLARED, {"candles": 0, "measure": "c"})
        assert set(refusal.value.errors) == {"candles", "measure"}

    def test_fills_in_the_defaults(self) -> None:
        assert parse_parameters(DECLARED, {}) == {
            "candles": 20,
            "buffer": Decimal("0.5"),
            "allow_short": False,
            "measure": "a",
        }

    def test_reads_what_a_form_sends(self) -> None:
        values = parse_parameters(
            DECLARED, {"candles": " 30 ", "buffer": "1.25", "allow_short": "on", "measure": "b"}
        )
        assert values == {
            "candles": 30,
            "buffer": Decimal("1.25"),
            "allow_short": True,
            "measure": "b",
        }

    def test_reads_back_what_json_keeps(self) -> None:
        values = parse_parameters(DECLARED, {"buffer": "0.1"})
        assert parse_parameters(DECLARED, to_json(values)) == values

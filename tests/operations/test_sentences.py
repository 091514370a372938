import pytest

from operations.sentences import as_sentences


class TestAsSentences:
    @pytest.mark.parametrize(
        ("reasons", "text"),
        [
            ([], ""),
            (["No price is known"], "No price is known"),
            (["Trading is halted. Enough.", "No price is known"],
             "Trading is halted. Enough. No price is known"),
            (["Needs 5,000.00; 4,000.00 is free", "One more."],
             "Needs 5,000.00; 4,000.00 is free. One more."),
        ],
    )  # fmt: skip
    def test_has_one_stop_between_two(self, reasons: list[str], text: str) -> None:
        assert as_sentences(reasons) == text

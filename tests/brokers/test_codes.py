"""One-time codes for brokers' logins."""

from datetime import UTC, datetime

import pytest

from brokers.codes import code_at

# RFC 6238, appendix B: the key "12345678901234567890" at 59 seconds, the last six of eight digits.
KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
AT = datetime.fromtimestamp(59, UTC)


class TestACode:
    @pytest.mark.parametrize("secret", ["", "  ", "not base 32 at all!", "0189"])
    def test_of_no_setup_key_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError) as refused:
            code_at(secret, AT)
        assert not secret.strip() or secret not in str(refused.value)

    def test_is_the_standard_s(self) -> None:
        assert code_at(KEY, AT) == "287082"

    def test_is_the_same_however_the_key_is_written(self) -> None:
        spaced = " ".join(KEY[start : start + 4].lower() for start in range(0, 32, 4))
        assert code_at(spaced, AT) == code_at(KEY, AT)

    def test_comes_from_a_short_key_too(self) -> None:
        assert len(code_at("JBSWY3DPEHPK3PXP", AT)) == 6

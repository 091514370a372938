import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import record_error
from operations.logging import mask_secrets
from operations.logs import record_log
from operations.models import ErrorLog, SystemLog
from operations.redaction import MASK, redact, redact_text

CANARY = "canary-c0ffee42"
SPOKEN = [
    f"password={CANARY}",
    f"access_token: {CANARY}, next",
    f'{{"api_key": "{CANARY}"}}',
    f"Authorization: Bearer {CANARY}",
    f"postgres://pinnacle:{CANARY}@database/pinnacle",
    f"totp_secret = '{CANARY}'",
    f"https://broker/?request_token={CANARY}&status=ok",
]
NAMED = [
    "password",
    "api_key",
    "apiKey",
    "access_token",
    "totp",
    "TPIN",
    "mpin",
    "Cookie",
    "secret",
]


class TestRedact:
    @pytest.mark.parametrize("text", SPOKEN)
    def test_masks_a_secret_in_running_text(self, text: str) -> None:
        assert CANARY not in redact_text(text)

    @pytest.mark.parametrize("name", NAMED)
    def test_masks_by_the_name_of_the_key(self, name: str) -> None:
        assert redact({name: CANARY}) == {name: MASK}

    @given(
        st.recursive(
            st.just({"access_token": CANARY}) | st.just([f"pin password={CANARY}"]),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        )
    )
    def test_masks_at_any_depth(self, value: object) -> None:
        assert CANARY not in str(redact(value))

    @pytest.mark.parametrize(
        "text", ["BUY 10 NSE:RELIANCE at 2,954.80", "Order 12 was refused: price 10:15", ""]
    )
    def test_leaves_other_words_alone(self, text: str) -> None:
        assert redact_text(text) == text

    def test_keeps_numbers_and_empties(self) -> None:
        value = {"quantity": 10, "price": 1.5, "note": None, "password": ""}
        assert redact(value) == value


class TestSinks:
    @pytest.mark.django_db
    def test_errors_are_kept_without_their_secrets(self) -> None:
        try:
            raise ValueError(f"login failed: password={CANARY}")
        except ValueError as error:
            record_error(error, context={"headers": {"Authorization": CANARY}})
        row = ErrorLog.objects.get()
        assert (row.error_type, row.severity) == ("ValueError", "ERROR")
        assert "test_redaction.py" in row.stack_trace
        assert f"password={CANARY}" not in str(ErrorLog.objects.values().get())
        assert row.context == {"headers": {"Authorization": MASK}}

    @pytest.mark.django_db
    def test_log_lines_are_kept_without_their_secrets(self) -> None:
        record_log(f"connected with api_key={CANARY}")
        assert CANARY not in SystemLog.objects.get().message

    def test_log_events_are_printed_without_their_secrets(self) -> None:
        event = mask_secrets(None, "info", {"event": f"token={CANARY}", "password": CANARY})
        assert CANARY not in str(event)

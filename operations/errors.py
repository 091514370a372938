"""Keep errors where an operator finds them, without the secrets that were in their way."""

import contextlib
import traceback
import uuid
from collections.abc import Iterator, Mapping

import structlog

from operations.models import ErrorLog, Severity
from operations.redaction import redact, redact_text

logger = structlog.get_logger(__name__)
LONGEST_TRACE = 20_000


def record_error(
    error: BaseException,
    *,
    context: Mapping[str, object] | None = None,
    severity: Severity = Severity.ERROR,
    order_id: uuid.UUID | None = None,
    account_id: uuid.UUID | None = None,
) -> ErrorLog:
    """Write an error with its trace and what was going on; secrets are masked in all of it."""
    trace = "".join(traceback.format_exception(error))
    row = ErrorLog.objects.create(
        error_type=type(error).__name__[:100],
        error_code=str(getattr(error, "code", "") or "")[:50],
        message=words_of(error),
        stack_trace=redact_text(trace[-LONGEST_TRACE:]).replace("\x00", ""),
        context=redact(dict(context or {})),
        severity=severity,
        related_order_id=order_id,
        related_account_id=account_id,
    )
    logger.error("error_recorded", error_type=row.error_type, error_id=row.pk)
    return row


def words_of(error: BaseException) -> str:
    """Return an error's message as it is kept."""
    return redact_text(str(error)).replace("\x00", "")


@contextlib.contextmanager
def contained(
    stage: str, *, order_id: uuid.UUID | None = None, account_id: uuid.UUID | None = None
) -> Iterator[None]:
    """Record whatever goes wrong inside as critical, and let the caller go on.

    For the edges of timed work alone: between one row and the next, one step and the next.
    """
    try:
        yield
    except Exception as error:  # the edge of a worker: the other rows go on
        record_error(
            error,
            context={"stage": stage},
            severity=Severity.CRITICAL,
            order_id=order_id,
            account_id=account_id,
        )

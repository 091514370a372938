"""Lines for the operator: what happened, by whom, how grave."""

from django.db.models import Model

from operations.models import LogType, Severity, SystemLog
from operations.redaction import redact_text


def record_log(
    message: str,
    *,
    type: LogType = LogType.SYSTEM,
    level: Severity = Severity.INFO,
    user: Model | None = None,
) -> SystemLog:
    """Write one line of the system log; secrets in the text are masked.

    ``user`` is the person concerned, if any: their id is kept.
    """
    return SystemLog.objects.create(
        message=redact_text(message), type=type, level=level, user_id=user.pk if user else None
    )

"""Log lines as JSON on a server, as text on a laptop; never with a secret in them."""

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

from operations.redaction import redact


def mask_secrets(
    logger: object, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask secrets in a log event: a step of structlog's chain."""
    event.update({key: redact({key: value})[key] for key, value in event.items()})  # type: ignore[index]
    return event


class PlainRefusals(logging.Filter):
    """Drop the trace of a refused request: a page not there, or not allowed, is no fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True


STEPS: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    mask_secrets,
]


def logging_config(*, as_json: bool, level: str) -> dict[str, Any]:
    """Return Django's LOGGING, and make structlog's loggers end in the same place."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *STEPS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "plain": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": STEPS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
            }
        },
        "filters": {"plain_refusals": {"()": PlainRefusals}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "plain",
                "filters": ["plain_refusals"],
            }
        },
        # Django's own handlers would write each line a second time.
        "loggers": {"django": {"handlers": [], "level": level}},
        "root": {"handlers": ["console"], "level": level},
    }

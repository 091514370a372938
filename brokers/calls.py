"""The log of conversations with brokers: every write, every failure, never a secret or a body."""

import logging
from dataclasses import dataclass

from django.db import DatabaseError

from brokers.models import BrokerCall, BrokerConnection
from brokers.transport import Exchange
from operations.redaction import redact_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallLog:
    """Hears of a connection's calls; what cannot be written down never disturbs the call."""

    connection: BrokerConnection

    def __call__(self, exchange: Exchange) -> None:
        if exchange.is_ok and not exchange.is_write:
            return
        try:
            BrokerCall.objects.create(
                connection=self.connection,
                module=self.connection.broker_type,
                action=exchange.path[:50],
                request={"method": exchange.method, "host": exchange.host, "path": exchange.path},
                response={} if exchange.is_ok else {"text": redact_text(exchange.text)},
                duration_ms=exchange.duration_ms,
                status_code=exchange.status,
                error_message=redact_text(exchange.error),
            )
        except DatabaseError:
            logger.exception("a broker call could not be written down")

"""How a connection's calls are made, and their log: every write and failure, never a secret."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from brokers.models import BrokerCall, BrokerConnection
from brokers.transport import Admit, Exchange, Manners, admit_all
from operations.redaction import redact_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallLog:
    """Hears of a connection's calls; what cannot be written down never disturbs the call.

    ``reads`` are parts of the paths at which the broker wants a question asked by POST.
    """

    connection: BrokerConnection
    reads: Sequence[str] = ()

    def __call__(self, exchange: Exchange) -> None:
        if exchange.is_ok and self._is_read(exchange):
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

    def _is_read(self, exchange: Exchange) -> bool:
        return not exchange.is_write or any(part in exchange.path for part in self.reads)


def manners_for(
    connection: BrokerConnection, *, admit: Admit = admit_all, reads: Sequence[str] = ()
) -> Manners:
    """Return how the connection's calls are made: from its own address, admitted and logged."""
    egress = str(connection.connection_metadata.get("egress", ""))
    return Manners(egress=egress, admit=admit, watch=CallLog(connection, reads))

"""Publish news: a row in the outbox, committed together with the change it tells of."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from operations.models import Event


def publish(
    kind: str,
    *,
    workspace_id: uuid.UUID | None,
    subject_id: object = "",
    payload: Mapping[str, object] | None = None,
    now: datetime,
) -> Event:
    """Write one outbox row, for example ``publish("orders", workspace_id=…, subject_id=order.id)``.

    Kinds are the names of the page parts that change: ``orders``, ``trades``, ``positions``,
    ``funds``, ``signals``, ``strategies``, ``risk``, ``notifications``, ``imports``, ``brokers``.
    """
    return Event.objects.create(
        kind=kind,
        workspace_id=workspace_id,
        subject_id=str(subject_id),
        payload=dict(payload or {}),
        created_at=now,
    )

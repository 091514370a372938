"""What brokers post to us about orders: an unguessable address, checked, written, never believed.

A postback is a hint to look, whatever it says: the order is fetched from the broker afterwards.
Each body is taken once; one that comes again is answered and left alone.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from brokers.models import BrokerConnection, PostbackConfig, PostbackEvent, ProcessingStatus
from brokers.registry import postbacks_of
from brokers.storable import storable

LARGEST_BODY = 64 * 1024


class PostbackUnwanted(Exception):
    """Nobody here waits for a postback at that address, or its signature is false."""


@dataclass(frozen=True, slots=True)
class PostbackNews:
    """What a body is about; enough to know which order to fetch."""

    broker_order_id: str
    event_type: str
    tag: str = ""


class ReadsPostbacks(Protocol):
    """An adapter's ``postbacks.py``, where its broker posts."""

    def verify(
        self, body: bytes, headers: Mapping[str, str], credentials: Mapping[str, str]
    ) -> bool | None:
        """Tell whether the broker signed it; None where this broker signs nothing."""
        ...

    def read(self, body: bytes) -> PostbackNews:
        """:raises ValueError: when it is not what the broker posts."""
        ...


def open_postbacks(connection: BrokerConnection) -> PostbackConfig:
    """Return the connection's address for postbacks, made when first asked for.

    :raises UnknownBroker: when its broker posts nothing.
    """
    postbacks_of(connection.broker_type)
    config, is_new = PostbackConfig.objects.get_or_create(connection=connection, is_active=True)
    if is_new:
        config.webhook_url = address_of(config)
        config.save(update_fields=["webhook_url"])
    return config


def address_of(config: PostbackConfig) -> str:
    """Return where the broker is to post, at the address that this house has now."""
    return f"{settings.SITE_URL}/postbacks/{config.pk}/{token_of(config.pk)}/"


def token_of(config_id: UUID) -> str:
    """Return the secret part of the address: worked out, so that no table can leak it."""
    name = f"postback:{config_id}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), name, hashlib.sha256).hexdigest()[:40]


def receive_postback(
    config_id: UUID, token: str, *, body: bytes, headers: Mapping[str, str], now: datetime
) -> PostbackEvent | None:
    """Write one postback down; None when the same body was taken before.

    :raises PostbackUnwanted: when the address or the signature is false, or the body too large.
    :raises ValueError: when the body is not what the broker posts.
    """
    config = _config_at(config_id, token)
    if len(body) > LARGEST_BODY:
        raise PostbackUnwanted("The body is too large")
    broker = postbacks_of(config.connection.broker_type)
    news = broker.read(body)
    if not all(part.isprintable() for part in (news.broker_order_id, news.event_type, news.tag)):
        raise ValueError("It names an order in characters that no order has")
    is_signed = broker.verify(body, headers, config.connection.read_credentials())
    event = PostbackEvent(
        config=config,
        event_type=news.event_type[:50],
        payload={"order": news.broker_order_id, "tag": news.tag, "body": _payload(body)},
        signature_valid=is_signed,
        body_hash=hashlib.sha256(f"{config.pk}:".encode() + body).hexdigest(),
    )
    if is_signed is False:
        event.processing_status = ProcessingStatus.FAILED
        event.error_message = "The signature is false"
    is_first = _save_once(event)
    if is_signed is False:
        raise PostbackUnwanted("The signature is false")
    PostbackConfig.objects.filter(pk=config.pk).update(last_triggered_at=now)
    return event if is_first else None


def _config_at(config_id: UUID, token: str) -> PostbackConfig:
    if not hmac.compare_digest(token.encode(), token_of(config_id).encode()):
        raise PostbackUnwanted("Nobody waits for a postback at that address")
    configs = PostbackConfig.objects.filter(pk=config_id, is_active=True)
    config = configs.select_related("connection").first()
    if config is None:
        raise PostbackUnwanted("Nobody waits for a postback at that address")
    return config


def _save_once(event: PostbackEvent) -> bool:
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _payload(body: bytes) -> object:
    return storable(body.decode("utf-8", "replace"))

"""The static address that Indian brokers want orders to come from, and the one we are seen with."""

import ipaddress
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from requests import RequestException

from brokers.models import BrokerConnection
from brokers.transport import Manners, Transport
from operations.events import publish

SEEN_GOOD_FOR = timedelta(hours=24)


class AddressDiffers(Exception):
    """Orders would leave from another address than the one registered with the broker."""


class AddressUnseen(Exception):
    """Nobody could tell which address we are seen with."""


def configure_address(
    connection: BrokerConnection, *, static_ip: str, egress: str, now: datetime
) -> None:
    """Write which address is registered with the broker, and which local one calls leave by.

    :raises ValueError: when either is not an address.
    """
    for address in filter(None, (static_ip, egress)):
        ipaddress.ip_address(address)
    changed = {
        "static_ip": static_ip,
        "egress": egress,
        "seen_ip": "",
        "seen_at": "",
        "unseen_words": "",
    }
    _write(connection, changed, now=now)


def look_at_address(connection: BrokerConnection, *, now: datetime) -> str:
    """Ask outside which address our calls come from, remember it and return it.

    It is not remembered where calls have come to leave another way while we looked.

    :raises AddressUnseen: when the answer is no address.
    """
    egress = connection.connection_metadata.get("egress", "")
    manners = Manners(egress=egress)
    try:
        with Transport(manners) as transport:
            seen = transport.get(settings.ADDRESS_CHECK_URL).text.strip()
        ipaddress.ip_address(seen)
    except RequestException as error:
        words = "The address service could not be reached. Look again later."
        raise AddressUnseen(words) from error
    except ValueError as error:
        raise AddressUnseen("The address service answered with no address.") from error
    seen_now = {"seen_ip": seen, "seen_at": now.isoformat(), "unseen_words": ""}
    _write(connection, seen_now, now=now, left_by=egress)
    return seen


def note_unseen(connection: BrokerConnection, *, words: str, now: datetime) -> None:
    """Write why nobody could look. What was seen before stays good for its time."""
    _write(connection, {"unseen_words": words}, now=now)


def check_known_address(connection: BrokerConnection, *, now: datetime) -> None:
    """Refuse where an address is registered and we were last seen with another, or with none.

    :raises AddressDiffers: in words a trader can act on.
    """
    known = connection.connection_metadata
    registered = known.get("static_ip", "")
    if not registered:
        return
    seen, seen_at = known.get("seen_ip", ""), known.get("seen_at", "")
    if not seen or now - datetime.fromisoformat(seen_at) > SEEN_GOOD_FOR:
        raise AddressDiffers(
            f"Orders must come from {registered}, and it is not known that ours do:"
            " check the address on the Brokers page"
        )
    if ipaddress.ip_address(seen) != ipaddress.ip_address(registered):
        raise AddressDiffers(
            f"Orders must come from {registered}, but ours come from {seen}:"
            " mend the address, or register the new one with the broker"
        )


@transaction.atomic
def _write(
    connection: BrokerConnection,
    changed: dict[str, str],
    *,
    now: datetime,
    left_by: str | None = None,
) -> None:
    held = BrokerConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
    if left_by in (None, held.connection_metadata.get("egress", "")):
        held.connection_metadata = {**held.connection_metadata, **changed}
        held.save(update_fields=["connection_metadata", "updated_at"])
        publish("brokers", workspace_id=held.workspace_id, subject_id=held.pk, now=now)
    connection.connection_metadata = held.connection_metadata

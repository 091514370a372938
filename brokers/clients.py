"""Whose login a connection is: one client of the broker, whose orders its accounts keep."""

from brokers.logins import LoginFailed
from brokers.models import BrokerConnection, ConnectionStatus

# What stands in an account's books under a client's name. It belongs to floors above and is
# reached through the account's own relations.
_BOOKS = ("orders", "forever_orders", "positions", "holdings")
# What the last login told of its client, within what is known of a connection.
LOGIN = "login"


def lock_with_siblings(connection: BrokerConnection) -> BrokerConnection:
    """Lock the desk's connections to the broker, in one order for all, and return this one anew.

    Two that log in as the same client at one moment would not see each other otherwise.
    """
    siblings = BrokerConnection.objects.select_for_update(no_key=True).filter(
        workspace=connection.workspace_id, broker_type=connection.broker_type
    )
    locked = {each.pk: each for each in siblings.order_by("pk")}
    return locked[connection.pk]


def check_client(held: BrokerConnection, *, client_code: str) -> None:
    """Refuse a login of another client than the connection's, or of one connected elsewhere.

    :raises LoginFailed: in words that say whose login it was.
    """
    if not client_code:
        return
    if held.client_code and not _is_same(held.client_code, client_code):
        raise LoginFailed(
            f"This was the login of {client_code}, but {held.alias} belongs to {held.client_code}:"
            f" log in as {held.client_code}, or connect {client_code} as a new connection"
        )
    twins = BrokerConnection.objects.filter(
        workspace=held.workspace_id,
        broker_type=held.broker_type,
        client_code__iexact=client_code,
    )
    twins = twins.exclude(pk=held.pk).exclude(status=ConnectionStatus.DISCONNECTED)
    twin = twins.first()
    if twin is not None:
        raise LoginFailed(
            f"{client_code} is connected already, as {twin.alias}: its orders would be counted"
            " twice"
        )


def forget_client(held: BrokerConnection) -> None:
    """Forget whose login it was, as new credentials may be another client's; save it yourself.

    Once anything stands in the books of its accounts, the client stays known, and a login of
    another is refused: two clients' orders and money must never meet in one account. Where
    nothing does, the accounts have to be compared with the broker anew.
    """
    held.connection_metadata = {**held.connection_metadata, LOGIN: {}}
    accounts = held.accounts.all()
    if any(accounts.filter(**{f"{each}__isnull": False}).exists() for each in _BOOKS):
        return
    held.client_code = ""
    accounts.update(reconciled_at=None)


def _is_same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()

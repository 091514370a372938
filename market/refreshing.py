"""Fetch brokers' instrument lists before the session, and again until it has worked.

A list is imported whole or not at all: one that is cut short, empty, no list, or lacks much of the
last one is refused, the last one stays, and whoever manages a desk at that broker is told.
"""

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from celery import current_app
from django.core.files import File
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from accounts.models import User, Workspace
from accounts.permissions import require_operator
from brokers.calls import manners_for
from brokers.masters import Master
from brokers.models import BrokerConnection, ConnectionStatus
from brokers.registry import UnknownBroker, broker_choices, master_of
from brokers.sessions import SessionMissing, session_secrets
from brokers.telling import tell_managers
from brokers.transport import Manners, TransportError
from market.answering import give_up_unanswered
from market.freshness import ListAge, due_on, list_ages
from market.importing.downloading import Asking, downloaded
from market.importing.files import shown_name
from market.importing.losses import LOSSES
from market.importing.progress import Clock
from market.importing.rows import FileRefused
from market.models import ImportKind, ImportRun, ImportStatus
from market.schedules import IST
from market.services import Starter, run_import, start_import
from notifications.models import AlertLevel
from operations.errors import contained
from operations.leases import LeaseHeld, claim_lease, release_lease

logger = logging.getLogger(__name__)

TRY_AGAIN_AFTER = timedelta(minutes=10)
# No download and import takes so long; a worker that died holds nothing up for longer.
_LONGEST = timedelta(minutes=15)


def refresh_due_masters(*, clock: Clock) -> list[ImportRun]:
    """Refresh the lists that are due at brokers somebody has connected; return what was tried."""
    tried = []
    for broker in _connected_brokers():
        with contained(f"refreshing the instrument list of {broker}"):
            if _is_due(broker, now=clock()):
                run = refresh_if_possible(broker, clock=clock)
                tried += [] if run is None else [run]
    return tried


def refresh_if_possible(broker: str, *, clock: Clock) -> ImportRun | None:
    """Refresh a list, unless nobody is logged in where it takes that, or a worker is at it."""
    try:
        return refresh_master(broker, clock=clock)
    except (SessionMissing, LeaseHeld) as error:
        logger.info("instrument list of %s not fetched: %s", broker, error)
        return None


def refresh_master(broker: str, *, clock: Clock, accept_loss: bool = False) -> ImportRun:
    """Download and import a broker's list. The run says how it went.

    ``accept_loss`` takes a list that lacks more of the last one than is believed otherwise.

    :raises UnknownBroker: when the broker has no list.
    :raises SessionMissing: when the list needs a login, and nobody is logged in.
    :raises LeaseHeld: while another process refreshes it.
    """
    master, now = master_of(broker), clock()
    asking = _asking(broker, master, now=now)
    lease = f"instrument-list:{broker}"
    token = claim_lease(lease, holder=uuid4().hex, length=_LONGEST, now=now)
    try:
        run = _fetch(broker, master, asking, clock=clock, accept_loss=accept_loss)
    finally:
        release_lease(lease, token=token, now=clock())
    if run.status != ImportStatus.COMPLETED:
        _alarm(broker, run, now=clock())
    return run


def _fetch(
    broker: str, master: Master, asking: Asking, *, clock: Clock, accept_loss: bool
) -> ImportRun:
    name = shown_name(master.address({}).partition("?")[0])
    kind = ImportKind(master.KIND)
    # The list of the day answers for the one before it that asked.
    give_up_unanswered(now=clock(), kind=kind, within=timedelta(0))
    options = {"is_whole": True, "accepted": [LOSSES] if accept_loss else []}
    try:
        with downloaded(master, asking) as file:
            upload = File(file, name=name)
            run = start_import(upload, kind=kind, by=Starter(), now=clock(), options=options)
    except (FileRefused, TransportError) as error:
        return ImportRun.objects.create(
            kind=kind,
            file_name=name,
            status=ImportStatus.FAILED,
            options=options,
            error_message=str(error),
            started_at=clock(),
            finished_at=clock(),
        )
    return run_import(run.pk, clock=clock)


def _asking(broker: str, master: Master, *, now: datetime) -> Asking:
    connections = BrokerConnection.objects.filter(broker_type=broker).order_by("created_at")
    for connection in connections:
        try:
            return Asking(dict(session_secrets(connection, now=now)), manners_for(connection))
        except SessionMissing:
            continue
    if master.NEEDS_SESSION:
        raise SessionMissing(
            f"The instrument list of {dict(broker_choices())[broker]} needs a login: log in first"
        )
    first = connections.first()
    return Asking(manners=manners_for(first) if first else Manners())


def ask_for_refresh(broker: str, *, by: User) -> None:
    """Have a worker fetch a broker's list.

    :raises PermissionDenied: when the person does not run the house.
    :raises UnknownBroker: when the broker has no list.
    """
    require_operator(by)
    master_of(broker)
    try:
        current_app.send_task("market.tasks.refresh_master", kwargs={"broker": broker}, retry=False)
    except OperationalError:
        logger.warning("nudge for the list of %s lost, the sweep fetches it when due", broker)


def lists_of(workspace: Workspace, *, at: datetime) -> list[ListAge]:
    """Return how old the lists are of the brokers that a desk has connected."""
    connections = BrokerConnection.objects.filter(workspace=workspace)
    names = connections.values_list("broker_type", flat=True).distinct()
    return list_ages(list(names), at=at)


def _connected_brokers() -> list[str]:
    connections = BrokerConnection.objects.exclude(status=ConnectionStatus.DISCONNECTED)
    return sorted(connections.values_list("broker_type", flat=True).distinct())


def _is_due(broker: str, *, now: datetime) -> bool:
    """Tell whether the day's own list is there and not here, and was not tried just now."""
    try:
        master = master_of(broker)
    except UnknownBroker:
        return False
    runs = _runs(master)
    if runs.filter(started_at__gt=now - TRY_AGAIN_AFTER).exists():
        return False
    due = due_on(master, now, since=master.READY_AT)
    last = runs.filter(status=ImportStatus.COMPLETED).order_by("-started_at").first()
    return last is None or last.started_at.astimezone(IST).date() < due


def _runs(master: Master) -> QuerySet[ImportRun]:
    return ImportRun.objects.filter(kind=master.KIND, options__is_whole=True)


def _alarm(broker: str, run: ImportRun, *, now: datetime) -> None:
    """Tell each desk at the broker, once for a reason that lasts, that its list is not the day's.

    A broker that does not answer at eight is no news while the list is not wanted yet.
    """
    age = list_ages([broker], at=now)[0]
    refused = run.file_size > 0
    if not (refused or age.is_stale):
        return
    told = ImportRun.objects.filter(
        kind=run.kind, options__is_told=True, error_message=run.error_message
    )
    if told.filter(started_at__gt=now - timedelta(hours=12)).exists():
        return
    run.options = {**run.options, "is_told": True}
    run.save(update_fields=["options"])
    day = f"The list of {age.listed_on:%d %b %Y} stays. " if age.listed_on else ""
    for workspace in Workspace.objects.filter(broker_connections__broker_type=broker).distinct():
        tell_managers(
            workspace,
            level=AlertLevel.ERROR,
            title=f"The instrument list of {age.label} was not refreshed",
            message=f"{run.error_message}. {day}Without the day's list no position is opened "
            f"at {age.label}; exits go on. It is tried again every ten minutes.",
            now=now,
        )

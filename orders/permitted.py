"""Which orders may leave, as conditions on their rows: read by the claim, and by every stop.

They are subqueries and no joins: with a join the claim's own condition would be read from an older
snapshot, and two workers could both win.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from accounts.models import TRADING_ROLES, Membership, User, UserStatus
from brokers.models import TradingAccount
from risk.selectors import entries_blocked


def may_be_sent(now: datetime) -> Q:
    """Tell of an order whether it may leave now: an exit always may, but for real money switched
    off on this server; also from an account that is switched off.
    """
    is_paper = Q(connection__paper_trading=True)
    leaving = Q() if settings.LIVE_TRADING else is_paper
    exits = Exists(TradingAccount.objects.filter(leaving, pk=OuterRef("account_id")))
    return Q(Q(exits), is_exit=True) | Q(~entry_stopped(now), is_exit=False)


def entry_stopped(now: datetime) -> Q:
    """Tell of an entry whether something forbids it: a switch, a state, its account, its asker.

    What a claim would refuse to send is what a stop cancels at the broker: one condition for both.
    """
    return entries_blocked() | ~_account_takes_entries() | ~_asker_may_act(now)


def _account_takes_entries() -> Q:
    """Paper may enter; real money only where it is on for the server and for the account."""
    is_paper = Q(connection__paper_trading=True)
    entering = is_paper | Q(live_enabled=True) if settings.LIVE_TRADING else is_paper
    accounts = TradingAccount.objects.filter(entering, pk=OuterRef("account_id"), is_active=True)
    return Q(Exists(accounts))


def _asker_may_act(now: datetime) -> Q:
    """The person behind the order may still act, and still trades in its workspace."""
    in_time = Q(access_until=None) | Q(access_until__gt=now)
    people = User.objects.filter(
        in_time, pk=OuterRef("user_id"), is_active=True, status=UserStatus.ACTIVE
    )
    traders = Membership.objects.filter(
        user=OuterRef("user_id"), workspace=OuterRef("workspace_id"), role__in=TRADING_ROLES
    )
    return Q(Exists(people)) & Q(Exists(traders))

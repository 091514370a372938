"""Which accounts a page speaks of. Paper money is never added to live money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models.expressions import Combinable

from accounts.models import Workspace
from brokers.models import TradingAccount

SCOPE_KEY = "scope"


@dataclass(frozen=True, slots=True)
class Scope:
    """One choice of the account menu: all live accounts, all paper accounts, or a single one."""

    value: str
    label: str
    is_paper: bool
    accounts: tuple[TradingAccount, ...]

    @property
    def note(self) -> str:
        if len(self.accounts) > 1:
            return str(len(self.accounts))
        return self.accounts[0].connection.get_broker_type_display()

    @property
    def has_one_currency(self) -> bool:
        return len({account.currency for account in self.accounts}) == 1

    @property
    def is_replay(self) -> bool:
        """All of it was played: it lives on days of its own, which are over."""
        return bool(self.accounts) and all(account.own_clock for account in self.accounts)

    @property
    def follows_prices(self) -> bool:
        """What its accounts hold adds up at the prices of now: one currency, and no replay."""
        return self.has_one_currency and not any(account.own_clock for account in self.accounts)


NO_ACCOUNT = Scope("", "No account yet", True, ())


def scopes_of(workspace: Workspace, *, also: Mapping[str, Combinable] | None = None) -> list[Scope]:
    """List what the account menu offers, live before paper, with one query.

    ``also`` names what else the caller wants to know of each account in that query.
    """
    accounts = (
        TradingAccount.objects.filter(workspace=workspace, is_active=True)
        .select_related("connection")
        .annotate(**(also or {}))
        .order_by("name")
    )
    live = tuple(account for account in accounts if not account.is_paper)
    paper = tuple(account for account in accounts if account.is_paper)
    return [*_choices(live, is_paper=False), *_choices(paper, is_paper=True)]


def is_of_replays(workspace: Workspace) -> bool:
    """Whether every account there was played."""
    clocks = workspace.accounts.filter(is_active=True).values_list("own_clock", flat=True)
    return set(clocks) == {True}


def chosen_scope(scopes: Sequence[Scope], value: str) -> Scope:
    """Pick the scope that the session names, else the kind of money the desk began with.

    So an account that is added later is spoken of only once a person chooses it.
    """
    named = (scope for scope in scopes if scope.value == value)
    return next(named, _first_kept(scopes))


def _first_kept(scopes: Sequence[Scope]) -> Scope:
    accounts = [account for scope in scopes for account in scope.accounts]
    if not accounts:
        return NO_ACCOUNT
    oldest = min(accounts, key=lambda account: (account.created_at, account.pk))
    return next(scope for scope in scopes if scope.is_paper == oldest.is_paper)


def _choices(accounts: tuple[TradingAccount, ...], *, is_paper: bool) -> list[Scope]:
    word = "paper" if is_paper else "live"
    single = [Scope(str(each.pk), each.name, is_paper, (each,)) for each in accounts]
    if len(accounts) < 2:
        return single
    return [Scope(word, f"All {word} accounts", is_paper, accounts), *single]

"""What a database that was restored or copied may still do with real money."""

from brokers.models import TradingAccount
from operations.installation import Doubt, doubt_now

_ENTRIES = (
    "No live entry until every account agrees with its broker and the server's operator confirms it"
)
_EXITS = "exit in the broker's own app until it does"


def restored_refusal(account: TradingAccount, *, is_exit: bool) -> str:
    """Say why an order of this account may not leave a restored database; nothing where it may.

    An exit may once the account agrees with its broker again: by the books of a backup it might
    close what has long been closed, and so open a position.
    """
    doubt = None if account.is_paper else doubt_now()
    if doubt is None or (is_exit and agrees_since(account, doubt)):
        return ""
    if is_exit:
        return f"{doubt.words}. {account.name} does not agree with its broker yet: {_EXITS}"
    return f"{doubt.words}. {_ENTRIES}"


def agrees_since(account: TradingAccount, doubt: Doubt) -> bool:
    """Tell whether all of it has been compared since; what cannot be read is left out of that."""
    agreed_at = account.reconciled_at
    if agreed_at is None or doubt.since is None or agreed_at < doubt.since:
        return False
    return not account.unreadable_rows.exists()

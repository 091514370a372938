"""The size of a lot where a broker counts in lots and does not say how large one is.

Of commodities Dhan lists every lot as one, and takes an order's quantity in lots. The house counts
in units, as Angel One does, so the size is read from Angel One's row of the same contract. Without
it the contract is left out: a guess would be wrong by a factor of a hundred.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from brokers.terms import Exchange
from market.importing import angel
from market.importing.progress import Progress
from market.importing.rows import Listed, Skipped
from market.models import Instrument

_Sizes = dict[tuple[str, date | None], int]


def with_lots(rows: Iterable[Listed], progress: Progress) -> Iterator[Listed]:
    """Fill in the lots that are not told; leave out, in words, those that nobody tells."""
    sizes: _Sizes | None = None
    for row in rows:
        if row.lot_size:
            yield row
            continue
        if sizes is None:
            sizes = _sizes_in_units()
        size = sizes.get((row.key, row.expiry))
        if size:
            yield row._replace(lot_size=size)
        else:
            words = (
                f"The lot of {row.key} is not known, and this broker counts in lots: "
                "import Angel One's list, then this one again"
            )
            progress.skip(Skipped(progress.line, words, row.broker_symbol))


def _sizes_in_units() -> _Sizes:
    told = Instrument.objects.filter(
        exchange=Exchange.MCX,
        broker_instruments__broker_type=angel.BROKER,
        broker_instruments__is_listed=True,
    )
    rows = told.values_list("key", "expiry", "lot_size")
    return {(key, expiry): lot for key, expiry, lot in rows}

"""Dhan's detailed scrip master: the compact one's facts under other names, and more beside them.

https://dhanhq.co/docs/v2/instruments/ names both. A share's own symbol is in UNDERLYING_SYMBOL and
its name in SYMBOL_NAME. A contract's SYMBOL_NAME is its symbol on NSE, and BSXOPT or CRUDEOIL
elsewhere, so the symbol of the compact list is written from the contract's terms.
"""

from market.importing.reading import Source, delimiter_of, fields_of
from market.importing.rows import Record
from market.importing.symbols import plain
from market.importing.values import day_of, decimal_of

_NAMES = {
    "EXCH_ID": "SEM_EXM_EXCH_ID",
    "SEGMENT": "SEM_SEGMENT",
    "SECURITY_ID": "SEM_SMST_SECURITY_ID",
    "INSTRUMENT": "SEM_INSTRUMENT_NAME",
    "LOT_SIZE": "SEM_LOT_UNITS",
    "SM_EXPIRY_DATE": "SEM_EXPIRY_DATE",
    "STRIKE_PRICE": "SEM_STRIKE_PRICE",
    "OPTION_TYPE": "SEM_OPTION_TYPE",
    "TICK_SIZE": "SEM_TICK_SIZE",
    "SERIES": "SEM_SERIES",
    "SYMBOL_NAME": "SM_SYMBOL_NAME",
}
COLUMNS = (*_NAMES, "UNDERLYING_SYMBOL")
_CONTRACTS = ("D", "M")


def is_detailed(source: Source) -> bool:
    return set(fields_of(source.head.partition("\n")[0], delimiter_of(source.head))).issuperset(
        COLUMNS
    )


def compact(record: Record) -> Record:
    """Return a row by the names of the compact list.

    :raises RowRefused: when a contract's expiry or strike cannot be read.
    """
    row = Record((short, record[name]) for name, short in _NAMES.items())
    row["SEM_TRADING_SYMBOL"] = _symbol(record)
    return row


def _symbol(record: Record) -> str:
    underlying = record["UNDERLYING_SYMBOL"].strip()
    if record["SEGMENT"] not in _CONTRACTS:
        is_index = record["SEGMENT"] == "I"
        return underlying or (record["SYMBOL_NAME"] if is_index else "")
    expiry = day_of(record["SM_EXPIRY_DATE"].partition(" ")[0], "The expiry")
    if record["INSTRUMENT"].startswith("FUT"):
        return f"{underlying}-{expiry:%b%Y}-FUT"
    strike = decimal_of(record["STRIKE_PRICE"], "The strike")
    return f"{underlying}-{expiry:%b%Y}-{plain(strike)}-{record['OPTION_TYPE']}"

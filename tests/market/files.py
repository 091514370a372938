"""Small files as their makers write them, and a way to import them."""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from market.models import ImportKind, ImportRun
from market.services import Starter, run_import, start_import
from tests.builders import NOW

# The Saturday after the days that these files hold: nothing in them lies in the future.
READ_AT = NOW + timedelta(days=3)

KITE_HEADER = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,"
    "lot_size,instrument_type,segment,exchange\n"
)
KITE_SHARE = "738561,2885,RELIANCE,RELIANCE INDUSTRIES,0.0,,0.0,0.1,1,EQ,NSE,NSE\n"
KITE_FUTURE = "1001,11,NIFTY26AUGFUT,NIFTY,0.0,2026-08-25,0.0,0.1,65,FUT,NFO-FUT,NFO\n"
KITE_OPTION = "1002,12,NIFTY26AUG24350CE,NIFTY,0.0,2026-08-25,24350.0,0.05,65,CE,NFO-OPT,NFO\n"
KITE_INDEX = "256265,1001,NIFTY 50,NIFTY 50,0.0,,0.0,0.0,0,EQ,INDICES,NSE\n"
KITE = KITE_HEADER + KITE_SHARE + KITE_FUTURE + KITE_OPTION + KITE_INDEX

DHAN_HEADER = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,"
    "SEM_TRADING_SYMBOL,SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,"
    "SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME\r\n"
)
DHAN = (
    DHAN_HEADER
    + "NSE,E,2885,EQUITY,0,RELIANCE,1,Reliance,,,,10,NA,ES,EQ,RELIANCE INDUSTRIES LTD\r\n"
    + "NSE,E,7,EQUITY,0,SUNFARM,1200,Sunfarm,,,,5,NA,ES,SM,SUNFARM LIMITED\r\n"
    + "NSE,I,13,INDEX,0,NIFTY,1,Nifty 50,0001-01-01,,XX,0.05,,INDEX,X,NIFTY\r\n"
    + "NSE,D,35001,OPTIDX,0,NIFTY-Aug2026-24350-CE,65.0,NIFTY 25 AUG 24350 CALL,"
    + "2026-08-25 14:30:00,24350.00000,CE,5.0000,M,OP,,NIFTY\r\n"
)

ANGEL = """[
{"token":"2885","symbol":"RELIANCE-EQ","name":"RELIANCE","expiry":"","strike":"-1.000000",
 "lotsize":"1","instrumenttype":"","exch_seg":"NSE","tick_size":"10.000000"},
{"token":"58784","symbol":"NIFTY25AUG2624350CE","name":"NIFTY","expiry":"25AUG2026",
 "strike":"2435000.000000","lotsize":"65","instrumenttype":"OPTIDX","exch_seg":"NFO",
 "tick_size":"5.000000"},
{"token":"99926000","symbol":"Nifty 50","name":"NIFTY","expiry":"","strike":"0.000000",
 "lotsize":"1","instrumenttype":"AMXIDX","exch_seg":"NSE","tick_size":"0.000000"}
]"""

DAILY = (
    '"170626","500.00","512.50","498.25","510.65","51065000.35","100000","2000"\n'
    '"180626","511.00","515.00","505.45","507.60","40608000.00","80000","1500"\n'
)

INTRADAY_HEADER = (
    "Price,Close,High,Low,Open,Volume\n"
    "Ticker,AXISBANK.NS,AXISBANK.NS,AXISBANK.NS,AXISBANK.NS,AXISBANK.NS\n"
    "Datetime,,,,,\n"
)
INTRADAY = (
    INTRADAY_HEADER
    + "2026-06-17 03:45:00+00:00,201.5,203.9000244140625,199.0999755859375,203.9000244140625,0\n"
    + "2026-06-17 03:50:00+00:00,203.4,203.4000244140625,200.5999755859375,201.699951171875,7\n"
)

CASH = (
    "SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, LOW_PRICE, LAST_PRICE, "
    "CLOSE_PRICE, AVG_PRICE, TTL_TRD_QNTY, TURNOVER_LACS, NO_OF_TRADES, DELIV_QTY, DELIV_PER\n"
    "RELIANCE, EQ, 17-Jun-2026, 100.00, 101.00, 103.00, 99.00, 102.00, 102.50, 101.00, 5000, "
    "5.05, 10, 100, 2.00\n"
    "700MH40, SG, 17-Jun-2026, 105.00, 104.00, 104.00, 104.00, 104.00, 104.00, 104.00, 1, 0.00, "
    "1, -, -\n"
)
FUTURES = (
    "INSTRUMENT,SYMBOL    ,EXP_DATE  ,OPEN_PRICE ,HI_PRICE   ,LO_PRICE   ,CLOSE_PRICE,"
    "OPEN_INT*      ,TRD_VAL           ,TRD_QTY          ,NO_OF_CONT       ,NO_OF_TRADE      \n"
    "FUTIDX    ,BANKNIFTY ,30/06/2026,00058000.00,00058600.00,00057900.20,00058500.40,"
    "000000000700110,       87750600.00,             1500,               50,               40\n"
    "* - OPEN_INT as available in the trading system at the end of trading hours.      \n"
)
OPTIONS = (
    "INSTRUMENT,SYMBOL    ,EXP_DATE  ,STR_PRICE  ,OPT_TYPE,OPEN_PRICE ,HI_PRICE   ,LO_PRICE   ,"
    "CLOSE_PRICE,OPEN_INT*      ,TRD_QTY          ,NO_OF_CONT       ,NO_OF_TRADE      ,"
    "NOTION_VAL        ,PR_VAL            \n"
    "OPTIDX    ,NIFTY     ,30/06/2026,00024350.00,PE      ,00000012.95,00000015.20,00000010.30,"
    "00000011.50,000000000007475,             1300,               20,               13,"
    "       31655000.00,          14950.00\n"
    "* - OPEN_INT as available in the trading system at the end of trading hours.      \n"
)

OHLCV = (
    "Instrument,Date,Time,Open,High,Low,Close\n"
    "NIFTY,20260617,09:15,24100.75,24110.35,24090.80,24105.00\n"
    "NIFTY,20260617,09:16,24105.50,24120.00,24100.35,24118.65\n"
)


def import_text(
    content: str | bytes,
    *,
    name: str = "file.csv",
    kind: ImportKind | None = None,
    at: datetime = READ_AT,
    **options: object,
) -> ImportRun:
    """Start and run an import; without a kind it is recognised."""
    file = ContentFile(content.encode() if isinstance(content, str) else content, name=name)
    run = start_import(file, kind=kind, by=Starter(), now=at, options=options)
    return run_import(run.pk, clock=lambda: at)


def make_import_run(*, at: datetime) -> ImportRun:
    """The run of a broker's list that a test writes without a file."""
    return ImportRun.objects.create(
        kind=ImportKind.DHAN_MASTER, file_name="list.csv", started_at=at
    )

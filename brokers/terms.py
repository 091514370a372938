"""The field's own words, shared by every floor above: sides, order types, products, segments."""

from django.db import models


class Side(models.TextChoices):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(models.TextChoices):
    MARKET = "MARKET", "Market"
    LIMIT = "LIMIT", "Limit"
    SL = "SL", "Stop-loss limit"
    SL_M = "SL-M", "Stop-loss market"

    @property
    def needs_price(self) -> bool:
        return self in (OrderType.LIMIT, OrderType.SL)

    @property
    def needs_trigger(self) -> bool:
        return self in (OrderType.SL, OrderType.SL_M)


class Product(models.TextChoices):
    MIS = "MIS", "Intraday (MIS)"
    CNC = "CNC", "Delivery (CNC)"
    NRML = "NRML", "Carry forward (NRML)"
    MTF = "MTF", "Margin trading (MTF)"
    CO = "CO", "Cover order"
    BO = "BO", "Bracket order"


class Validity(models.TextChoices):
    DAY = "DAY", "Day"
    IOC = "IOC", "Immediate or cancel"


class Exchange(models.TextChoices):
    NSE = "NSE"
    BSE = "BSE"
    NFO = "NFO"
    BFO = "BFO"
    MCX = "MCX"
    CDS = "CDS"
    NASDAQ = "NASDAQ"
    NYSE = "NYSE"
    SIM = "SIM", "Simulated exchange"


class Segment(models.TextChoices):
    NSE_EQ = "NSE_EQ", "NSE equity"
    NSE_FNO = "NSE_FNO", "NSE futures and options"
    BSE_EQ = "BSE_EQ", "BSE equity"
    BSE_FNO = "BSE_FNO", "BSE futures and options"
    MCX_COMM = "MCX_COMM", "MCX commodity"
    CDS_FUT = "CDS_FUT", "Currency derivatives"
    IDX = "IDX", "Index"
    US_EQ = "US_EQ", "US equity"


class InstrumentType(models.TextChoices):
    EQ = "EQ", "Share"
    INDEX = "INDEX", "Index"
    FUT = "FUT", "Future"
    CE = "CE", "Call option"
    PE = "PE", "Put option"

    @property
    def is_option(self) -> bool:
        return self in (InstrumentType.CE, InstrumentType.PE)

    @property
    def is_derivative(self) -> bool:
        return self is InstrumentType.FUT or self.is_option

"""Where Kite is, and its name in this house; light enough for every process."""

BROKER_NAME = "kite"
REST = "https://api.kite.trade"
SITE = "https://kite.zerodha.com"
SOCKET = "wss://ws.kite.trade"

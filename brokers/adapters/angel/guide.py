"""What connecting Angel One takes from a person, in words; light enough for every process."""

from brokers.logins import CredentialField, Guide, LoginStyle

FIELDS = (
    CredentialField(
        "api_key", "API key", "On smartapi.angelone.in, under My Apps: the key of your app"
    ),
    CredentialField(
        "client_code", "Client code", "What you sign in to Angel One with", is_secret=False
    ),
    CredentialField("pin", "PIN", "Your four-digit MPIN, not your old password"),
    CredentialField(
        "totp_secret",
        "TOTP secret",
        "The text shown beneath the QR code at smartapi.angelone.in/enable-totp",
        is_setup_key=True,
    ),
)
STEPS = (
    "Open smartapi.angelone.in and sign in, or sign up with your Angel One client code.",
    "Choose My Apps, then Create an App, and the type Trading API.",
    "Enter any redirect address, and as primary static IP the address that this server is seen"
    " with: orders from any other address are refused.",
    "Copy the API key of the new app into the field below.",
    "Open smartapi.angelone.in/enable-totp, enter client code, PIN and the code sent to you.",
    "Copy the text beneath the QR code (not the six digits) into the field TOTP secret.",
    "Enter client code and PIN, and press Connect.",
)
DAILY = (
    "The session ends at midnight, Indian time. A new one is opened each morning from the TOTP"
    " secret, without you."
)

GUIDE = Guide(LoginStyle.TOTP, FIELDS, STEPS, DAILY, has_postback=True)

"""What connecting Dhan takes from a person, in words; light enough for every process."""

from brokers.logins import CredentialField, Guide, LoginStyle

GUIDE = Guide(
    style=LoginStyle.TOTP,
    fields=(
        CredentialField("client_id", "Dhan client ID", "The number you sign in with", False),
        CredentialField("pin", "PIN", "The PIN of your Dhan login", is_required=False),
        CredentialField(
            "totp_secret", "TOTP secret", "The setup key shown beside the QR code",
            is_required=False, is_setup_key=True,
        ),
        CredentialField(
            "api_key", "API key", "Only for signing in on Dhan's page", is_required=False
        ),
        CredentialField(
            "api_secret", "API secret", "Shown once, beside the API key", is_required=False
        ),
        CredentialField(
            "access_token", "Access token", "Only if you paste a new one each day",
            is_required=False,
        ),
    ),
    steps=(
        "Sign in at web.dhan.co, open your profile (top right) and choose Access DhanHQ APIs.",
        "Under Static IP enter this server's address as the primary one: orders from any other"
        " address are refused with Invalid IP. It can be changed once in seven days.",
        "For the login without a person: choose Setup TOTP there, and copy the setup key shown"
        " beside the QR code into the field TOTP secret. Enter your PIN too.",
        "Or, to sign in on Dhan's page: choose API key, enter the redirect address shown here,"
        " and copy the API key and secret into their fields. They are good for twelve months.",
        "Or, to paste a token: choose Access Token, enter the postback address shown here (Dhan"
        " ties it to the token), press Generate, and copy the token into its field.",
        "Quotes, candles and option chains need Dhan's Data API subscription on the same page.",
    ),
    daily="A login is good for 24 hours at most. With PIN and TOTP a new one is fetched every"
    " morning by itself; otherwise sign in on Dhan's page, or paste a new token, each day.",
    has_postback=True,
    returns_state=False,
)  # fmt: skip

"""What connecting Kite takes from a person, in words; light enough for every process."""

from brokers.logins import CredentialField, Guide, LoginStyle

GUIDE = Guide(
    style=LoginStyle.REDIRECT,
    fields=(
        CredentialField("api_key", "API key", "From your app at developers.kite.trade", False),
        CredentialField("api_secret", "API secret", "From the same page; it is never shown again"),
    ),
    steps=(
        "Sign in at developers.kite.trade and choose Create new app, of the type Connect.",
        "Enter your Zerodha client ID, and as redirect URL the address shown on this page.",
        "As postback URL enter the postback address shown on this page, once it is connected.",
        "Open your profile there (top right) and enter this server's address under IP Whitelist:"
        " orders from any other address are refused. It can be changed once a week.",
        "Open the app and copy its API key and its API secret into the fields below.",
        "Press Log in, sign in on Zerodha's page with your password and code, and allow the app.",
    ),
    daily="Every morning after 06:00: press Log in and sign in on Zerodha's page. Zerodha ends"
    " each session by then, and a login elsewhere with the same app ends it sooner.",
    has_postback=True,
)

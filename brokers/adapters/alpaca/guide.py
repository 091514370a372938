"""What connecting Alpaca takes from a person, in words; light enough for every process."""

from brokers.logins import CredentialField, Guide, LoginStyle

GUIDE = Guide(
    style=LoginStyle.KEYS,
    fields=(
        CredentialField("api_key", "API key ID", "Begins with PK for paper, AK for live", False),
        CredentialField("api_secret", "Secret key", "Shown once, when the keys are made"),
        CredentialField(
            "environment",
            "Environment",
            "paper (Alpaca's own paper trading, pretended money) or live (real money)",
            False,
        ),
        CredentialField(
            "feed",
            "Prices",
            "iex (free: one exchange's prices) or sip (paid: all exchanges). Empty means iex",
            is_secret=False,
            is_required=False,
        ),
    ),
    steps=(
        "Sign in at app.alpaca.markets.",
        "Choose, at the top left, the paper account or the live account.",
        "On its Home page find API Keys and press Generate New Keys.",
        "Copy the key ID and the secret key into the fields below at once: the secret is never"
        " shown again.",
        "As environment enter paper or live, whichever account the keys were made in: the keys of"
        " one are refused by the other.",
        "Press Connect.",
    ),
    daily="Nothing to do: the keys are good until you make new ones or delete them at Alpaca.",
)

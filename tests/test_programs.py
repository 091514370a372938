"""What the tests run on is found on the machine, else installed from packages, else named."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import psycopg
import pytest
import redis
from django.conf import settings

sys.path.append(str(settings.BASE_DIR / "bin"))

from programs import Machine, ProgramMissing
from servers import postgres_and_redis


@pytest.fixture(scope="module")
def bare() -> Iterator[Machine]:
    """A machine with Node.js and nothing else; what it installs is gone with the tests."""
    with tempfile.TemporaryDirectory(prefix="pinnacle-bare-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs = folder / "bin"
        programs.mkdir()
        for node in ("node", "npm"):
            found = which(node) or str(Path(sys.executable).parent / node)
            (programs / node).symlink_to(found)
        yield Machine(str(programs), folder / "nothing", folder / "packaged")


def version_of(program: Path) -> str:
    return subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()


def make_program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


class TestAMachineThatHasThem:
    def test_uses_its_newest_postgresql(self, tmp_path: Path) -> None:
        for version in ("15", "17"):
            for name in ("initdb", "pg_ctl"):
                make_program(tmp_path / version / "bin", name)
        machine = Machine("", tmp_path, tmp_path / "packaged")
        assert machine.postgres() == tmp_path / "17" / "bin"

    @pytest.mark.parametrize("name", ["chromium", "google-chrome"])
    def test_uses_its_browser_and_its_redis(self, tmp_path: Path, name: str) -> None:
        browser = make_program(tmp_path / "bin", name)
        redis_server = make_program(tmp_path / "bin", "redis-server")
        machine = Machine(str(tmp_path / "bin"), tmp_path, tmp_path / "packaged")
        assert (machine.chromium(), machine.redis()) == (browser, redis_server)


class TestABareMachine:
    def test_starts_packaged_servers(self, bare: Machine) -> None:
        with postgres_and_redis(bare) as environment:
            with psycopg.connect(environment["DATABASE_URL"]) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            with redis.Redis.from_url(environment["REDIS_URL"]) as server:
                assert server.ping()

    def test_opens_pages_in_a_packaged_chromium(self, bare: Machine) -> None:
        browser = bare.chromium()
        assert browser.is_relative_to(bare.packaged)
        assert "153" in version_of(browser)

    @pytest.mark.parametrize(
        ("program", "package"), [("postgres", "postgresql"), ("redis", "redis-server")]
    )
    def test_says_what_to_install_where_packages_cannot_be_had(
        self, tmp_path: Path, program: str, package: str
    ) -> None:
        occupied = tmp_path / "file"
        occupied.write_text("")
        machine = Machine("", tmp_path, occupied)
        with pytest.raises(ProgramMissing, match=f"apt-get install {package}"):
            getattr(machine, program)()

    def test_says_what_to_install_where_there_is_no_node(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        with pytest.raises(ProgramMissing, match=r"no npm .*\n.*apt-get install chromium"):
            Machine("", tmp_path, tmp_path / "packaged").chromium()

import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.xdist_group("survival")
class TestAServerWhosePartsAreKilled:
    def test_agrees_with_its_broker_afterwards(self) -> None:
        trial = ["-m", "bench.survival", "--broker", "angel", "--minutes", "0.33", "--pause", "6"]
        run = subprocess.run(
            [sys.executable, *trial],
            cwd=settings.BASE_DIR,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]

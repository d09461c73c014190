"""The programs that find things in real signals: what each finds, misses, and finds where nothing is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
TOLD = {
    "find_coins": {"coins": (24, 0, 0)},
    "find_letter": {"letters e": (27, 2, 2)},
    "find_heartbeats": {"heartbeats": (3, 0, 0)},
    "find_stars": {"stars, not whitened, at 0.9": (2, 0, 8), "stars": (2, 0, 0)},
    "find_aftershocks": {"shocks": (4, 0, 0)},
}


@pytest.mark.parametrize("name", TOLD)
def test_finds_what_is_there(name, tmp_path):
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--save", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = re.findall(
        r"^(.+): found (\d+) of \d+, missed (\d+), false (\d+)$", done.stdout, re.MULTILINE
    )
    assert {what: tuple(map(int, counts)) for what, *counts in told} == TOLD[name]
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.png"]

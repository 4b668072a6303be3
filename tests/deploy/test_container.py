"""The container file: read line by line on every machine, carried out line by line where the libraries can be installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tools.prove_container import CONTAINERFILE, USER_ID, instructions

ROOT = Path(__file__).resolve().parents[2]
TEXT = CONTAINERFILE.read_text(encoding="utf-8")
STEPS = instructions(TEXT)


def words(name: str) -> list[list[str]]:
    """The words of every instruction of this kind."""
    return [step.words() for step in STEPS if step.word == name]


def test_lines_are_read_as_a_container_engine_reads_them() -> None:
    """Comments go, continued lines are one, lists in JSON are lists."""
    made = instructions('# note\nFROM a AS b\nRUN one \\\n && two\nCMD ["x", \\\n "y"]\n')
    assert [(step.word, step.text) for step in made] == [("FROM", "a AS b"), ("RUN", "one  && two"), ("CMD", '["x",  "y"]')]
    assert made[2].words() == ["x", "y"]


def test_everything_that_is_copied_is_there_and_nothing_that_is_private() -> None:
    """The program, its evidence and the made records that its pages show; no test, no repository, nothing that only lies about."""
    for *sources, _ in words("COPY"):
        if not sources[0].startswith("--from="):
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source not in {".", "./", "tests", ".git"}
    assert {"src", "evidence", "patients"} <= {source for *sources, _ in words("COPY") for source in sources}, "the package is built from these"


def test_libraries_come_from_the_lock_files_by_their_hashes_and_not_as_root() -> None:
    """Every installation names its hashes; the last user is not root, and its number is fixed for those who mount folders."""
    runs = [step.text for step in STEPS if step.word == "RUN"]
    installs = [part for run in runs for part in run.split(" && ") if "pip install" in part]
    assert installs
    for part in installs:
        assert "--require-hashes" in part or "--no-deps" in part, part
    assert words("USER") == [["ivigil"]]
    assert any(f"--uid {USER_ID} " in run for run in runs)


def test_its_python_is_one_that_is_tested() -> None:
    """The version that pyproject asks for, the same in both stages."""
    versions = {re.search(r"python:(3\.\d+)", step.text)[1] for step in STEPS if step.word == "FROM"}  # type: ignore[index]
    assert versions == {"3.11"}
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image has Python 3.11")
@pytest.mark.skipif(not os.environ.get("IVIGIL_PROVE_CONTAINER"), reason="installs every library anew; set IVIGIL_PROVE_CONTAINER=1, or run the tool")
def test_every_line_but_the_base_image_is_carried_out(tmp_path: Path) -> None:
    """Built in a folder, run by its command, healthy by its check, ended by its signal."""
    command = [sys.executable, "tools/prove_container.py", "--root", str(tmp_path / "image")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("proven: ") == 3

"""What makes an installation repeatable."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["core.lock", "web.lock", "container.lock", "dev.lock"])
def test_locks_carry_hashes_and_no_address(name: str) -> None:
    """Every pin has hashes, and nothing names where to download from."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    pins = re.split(r"\n(?=\S)", text.strip())
    assert all(re.match(r"[a-z0-9._-]+==", pin) and "--hash=sha256:" in pin for pin in pins)


def test_requirement_lists_agree_with_the_package() -> None:
    """pyproject.toml and requirements/*.in name the same libraries with the same bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    core, web, dev = (_listed(ROOT / "requirements" / name) for name in ("core.in", "web.in", "dev.in"))
    extras = {name: {one for one in listed if not one.startswith("ivigil[")} for name, listed in project["project"]["optional-dependencies"].items()}
    assert core == {*project["project"]["dependencies"], *project["build-system"]["requires"]}
    assert web == extras["web"] | extras["print"]
    container = _listed(ROOT / "requirements" / "container.in")
    assert container == extras["postgres"]
    assert dev | core == extras["dev"] | extras["fast"] | extras["postgres"] | core


def test_the_container_holds_the_service_as_it_is_locked_and_the_driver_for_postgresql() -> None:
    """Its lock is that of the service, pin for pin, with psycopg beside it; the container file installs from it."""
    pins = {name: set(re.split(r"\n(?=\S)", (ROOT / "requirements" / name).read_text(encoding="utf-8").strip())) for name in ("web.lock", "container.lock")}
    assert pins["web.lock"] <= pins["container.lock"]
    assert {pin.partition("==")[0] for pin in pins["container.lock"] - pins["web.lock"]} == {"psycopg", "psycopg-binary"}
    assert "-r requirements/container.lock" in (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")


def _listed(path: Path) -> set[str]:
    return {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith(("#", "-r"))}


def test_core_lock_stays_light() -> None:
    """The core installs no test tool and no second numerical library."""
    text = (ROOT / "requirements" / "core.lock").read_text(encoding="utf-8")
    assert not re.search(r"^(pytest|mypy|hypothesis|scipy|pandas|pint|click-plugins)==", text, re.MULTILINE)

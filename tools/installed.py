"""The environment in which a command is timed as its users have it: installed, its byte code and its evidence kept from the first start on."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def as_installed(folder: str) -> dict[str, str]:
    """The environment of this process with this tree first on the path, and what an installation keeps kept in ``folder``.

    An installer compiles what it installs; a working tree may have been told not to (``PYTHONDONTWRITEBYTECODE``), and each start would compile it anew.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return {**kept, "IVIGIL_CACHE": folder, "PYTHONPYCACHEPREFIX": os.path.join(folder, "bytecode"), "PYTHONPATH": path}

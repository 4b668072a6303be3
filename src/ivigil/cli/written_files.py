"""Several files written together into one folder: all of them, or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ivigil.basis.problems import BadInput, Problem


def written(folder: Path, files: Mapping[str, str], *, replace: bool) -> list[Path]:
    """Write the texts below ``folder``, which is made if needed, and give the paths. They are evidence or schemas, not patient data.

    Every file is first written whole under another name, so that a full disk leaves nothing half done.

    Raises:
        BadInput: a file exists already and ``replace`` is not set, or the folder cannot be written; nothing is left behind.
    """
    targets = {folder / name: text for name, text in files.items()}
    taken = [] if replace else [path for path in targets if path.exists() or path.is_symlink()]
    if taken:
        raise BadInput([Problem(str(path), 0, "", "the file is there already, and nothing is overwritten", "choose another id or folder, or edit the file")
                        for path in taken])
    waiting: list[tuple[Path, Path]] = []
    try:
        for path, text in targets.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            waiting.append((_beside(path, text), path))
        for beside, path in waiting:
            os.replace(beside, path)
    except OSError as error:
        for beside, _ in waiting:
            beside.unlink(missing_ok=True)
        raise BadInput([Problem(str(folder), 0, "", error.strerror or "the folder cannot be written", "name a folder you may write to")]) from None
    return list(targets)


def _beside(path: Path, text: str) -> Path:
    handle = tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".ivigil-", delete=False, encoding="utf-8", newline="")  # noqa: SIM115
    try:
        with handle:
            handle.write(text)
        os.chmod(handle.name, 0o644)
    except OSError:
        Path(handle.name).unlink(missing_ok=True)
        raise
    return Path(handle.name)

"""``ivigil evidence new``: begins an entry in a folder of one's own and proves that it loads."""

from __future__ import annotations

from pathlib import Path

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, load
from ivigil.cli.output import Progress, report, write
from ivigil.cli.written_files import written
from ivigil.evidence.compile import compile_evidence
from ivigil.evidence.files import EvidenceFile, packaged_folder, read_folder
from ivigil.evidence.references import problems_of
from ivigil.evidence.stubs import Wanted, stub_files


def run_new(wanted: Wanted, into: str) -> int:
    """Write the stub files of an entry, print their names and the next step. Exit code 2, and nothing written, for bad input."""
    folder = Path(into)
    whole = (folder / "facts.yaml").is_file()
    try:
        if folder.exists() and not folder.is_dir():
            raise BadInput([Problem(into, 0, "--into", "is a file", "name a folder")])
        evidence = load(Choices(evidence=into) if whole else Choices(overlay=into if folder.is_dir() else ""))
        files = stub_files(wanted, evidence)
        _prove(folder, whole, files)
        paths = written(folder, files, replace=False)
    except BadInput as error:
        return report(error.problems, "Nothing was written:")
    check = f"ivigil evidence check {into}" if whole else f"ivigil evidence check --overlay {into}"
    write("Written:\n" + "".join(f"  {path}\n" for path in paths) + f"Each says in its comments what to fill in. Then: {check}\n")
    return 0


def _prove(folder: Path, whole: bool, files: dict[str, str]) -> None:
    """Load the folder as it would be with the new files, before anything is written.

    Raises:
        BadInput: it would not load.
    """
    own = [file for file in read_folder(folder) if file.name not in files] if folder.is_dir() else []
    own += [EvidenceFile(name, text) for name, text in files.items()]
    with Progress("Proving the new entry") as progress:
        compiled = compile_evidence(own, None, "", progress) if whole else compile_evidence(read_folder(packaged_folder()), own, folder.name, progress)
    problems = problems_of(compiled)
    if problems:
        raise BadInput(problems)

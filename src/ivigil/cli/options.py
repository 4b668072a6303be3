"""Options that several groups of commands share."""

from __future__ import annotations

from typing import Annotated

import typer

PLAIN = {"help_option_names": ["-h", "--help"]}
"""How every group of commands offers its help."""

Jurisdiction = Annotated[str, typer.Option("--jurisdiction", "-j", metavar="ID", help="Where the plan is made: US, UK-ENG ... Needed unless --site sets it.")]
AsOf = Annotated[str, typer.Option(metavar="DATE", help="The day the plan is made for. Default: today.")]
Overlay = Annotated[str, typer.Option(metavar="DIR", help="Folder of local evidence laid over the packaged one.")]
EvidenceFolder = Annotated[str, typer.Option("--evidence", metavar="DIR", help="Evidence folder to use instead of the packaged one.")]

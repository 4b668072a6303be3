"""``ivigil serve``: the web pages, REST, CDS Hooks and FHIR of one hospital."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, Collected, load, site_of, text_of
from ivigil.cli.output import note, report

if TYPE_CHECKING:
    from ivigil.service.run import Start
    from ivigil.service.settings import Settings

NEEDED = ("alembic", "argon2", "fastapi", "httpx", "jinja2", "joserfc", "multipart", "prometheus_client", "sqlalchemy", "uvicorn", "webauthn")
"""What the extra ``web`` brings."""


class Wanted(msgspec.Struct, frozen=True):
    """The options of one call."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    settings: str = ""
    database: str = ""
    certificate: str = ""
    key: str = ""


def run_serve(wanted: Wanted, choices: Choices) -> int:
    """Serve until told to end. Exit code 2 when something in the options, files or database forbids to start; every problem is listed."""
    try:
        need_web()
        start = _start(wanted, choices)
    except BadInput as error:
        return report(error.problems, "The service did not start:")
    from ivigil.service.run import serve

    note(f"ivigil serves on {'https' if wanted.certificate else 'http'}://{wanted.host}:{wanted.port}/  (Ctrl-C ends it)")
    if start.settings.mode == "open":
        note("OPEN MODE: nobody is asked to sign in, and only this machine is answered. For more than one person see docs/service.md.")
    serve(start)
    return 0


def need_web(needed: Sequence[str] = NEEDED) -> None:
    """Refuse when the libraries of the service are not installed.

    Raises:
        BadInput: some are missing; the remedy installs them.
    """
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput([Problem("ivigil serve", 0, "", f"the libraries of the service are not installed ({', '.join(missing)})",
                                "install them with: pip install 'ivigil[web]'")])


def settings_of(name: str) -> Settings:
    """The settings in a file, or the defaults when none is named.

    Raises:
        BadInput: the file is missing or malformed; every problem is listed.
    """
    from ivigil.service.settings import Settings, read_settings

    return read_settings(text_of(Path(name)), name) if name else Settings()


def _start(wanted: Wanted, choices: Choices) -> Start:
    from ivigil.service.run import Start
    from ivigil.service.settings import Settings, check_start
    from ivigil.service.store.database import default_url

    found = Collected()
    evidence = found.attempt(lambda: load(choices), None)
    settings = found.attempt(lambda: settings_of(wanted.settings), Settings())
    site = found.attempt(lambda: site_of(choices, evidence, date.today()), None) if evidence is not None else None
    found.problems.extend(_unfit(wanted))
    url = wanted.database or default_url()
    users = found.attempt(lambda: _users(url), None)
    if users is not None:
        found.attempt(lambda: check_start(settings, wanted.host, certificate=bool(wanted.certificate), users=users), None)
    if found.problems or site is None:
        raise BadInput(found.problems)
    return Start(wanted.host, wanted.port, wanted.workers, choices.evidence, choices.overlay, site, settings, url, wanted.certificate, wanted.key)


def _users(url: str) -> int:
    """How many users there are; brings the tables up to date before any worker starts."""
    from ivigil.service.store import Store

    store = Store.at(url)
    try:
        return store.people.count()
    finally:
        store.database.close()


def _unfit(wanted: Wanted) -> list[Problem]:
    problems = []
    if bool(wanted.certificate) != bool(wanted.key):
        missing = "--key" if wanted.certificate else "--certificate"
        problems.append(Problem(missing, 0, "", "a certificate and its key belong together", f"give {missing} too"))
    for option, name in (("--certificate", wanted.certificate), ("--key", wanted.key)):
        if name and not Path(name).is_file():
            problems.append(Problem(option, 0, name, "no such file", "name a PEM file"))
    return problems

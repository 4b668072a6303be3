"""``ivigil users``: who may sign in to the service."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import text_of
from ivigil.cli.output import note, report, write
from ivigil.cli.serve_command import need_web, settings_of

if TYPE_CHECKING:
    from ivigil.service.settings import Role
    from ivigil.service.store import Store


class Place(msgspec.Struct, frozen=True):
    """Where the users are kept, and by which rules."""

    database: str = ""
    settings: str = ""


BY = "command line"
"""Who stands in the audit trail for what is done here: whoever may open the database."""


@contextmanager
def opened(database: str) -> Iterator[Store]:
    """The store at a URL, or the one of this user; closed at the end.

    Raises:
        BadInput: it does not open, or the libraries are missing.
    """
    need_web()
    from ivigil.service.store import Store
    from ivigil.service.store.database import default_url

    store = Store.at(database or default_url())
    try:
        yield store
    finally:
        store.database.close()


def run_add(place: Place, name: str, roles: Sequence[str], password_from: str, subject: str) -> int:
    """Add a user who signs in with a password, or through the identity service as ``subject``."""

    def work() -> str:
        settings = settings_of(place.settings)
        if subject and not settings.openid.issuer:
            raise BadInput([Problem("--subject", 0, "", "the settings name no identity service",
                                    "name the settings file with --settings, or leave --subject out")])
        if not name.strip() or name != name.strip() or any(ord(letter) < ord(" ") for letter in name):
            raise BadInput([Problem("NAME", 0, name, "not a name to sign in with", "write it without spaces at its ends")])
        hashed = None if subject else _hashed(name, password_from, settings.sign_in.shortest_password)
        with opened(place.database) as store:
            person = store.people.add(datetime.now(UTC), BY, name, cast("list[Role]", list(roles)) or ["viewer"], password=hashed,
                                      issuer=settings.openid.issuer if subject else "", subject=subject)
        return f"{person.name} may sign in ({', '.join(sorted({'viewer', *person.roles}))}).\n"

    return _done(work)


def run_list(place: Place) -> int:
    """Print every user with roles."""

    def work() -> str:
        with opened(place.database) as store:
            everybody = store.people.everybody()
        rows = [(person.name, ", ".join(sorted({"viewer", *person.roles})), "disabled" if person.disabled else "", made.date().isoformat())
                for person, made in everybody]
        width = max((len(name) for name, *_ in rows), default=0)
        return "".join(f"{name:<{width}}  {made}  {roles}{f'  {state}' if state else ''}\n" for name, roles, state, made in rows) or "No users yet.\n"

    return _done(work)


def run_change(place: Place, name: str, *, disabled: bool | None = None, roles: Sequence[str] | None = None) -> int:
    """Disable, enable or give other roles. All sessions of the user end."""

    def work() -> str:
        with opened(place.database) as store:
            person = store.people.change(datetime.now(UTC), BY, name, disabled=disabled, roles=cast("list[Role]", list(roles)) if roles is not None else None)
        state = "may no longer sign in; sessions and tokens are ended" if person.disabled else f"may sign in ({', '.join(sorted({'viewer', *person.roles}))})"
        return f"{person.name} {state}.\n"

    return _done(work)


def run_password(place: Place, name: str, password_from: str) -> int:
    """Set a new password. All sessions of the user end."""

    def work() -> str:
        settings = settings_of(place.settings)
        hashed = _hashed(name, password_from, settings.sign_in.shortest_password)
        with opened(place.database) as store:
            store.people.change(datetime.now(UTC), BY, name, password=hashed)
        return f"{name} has a new password; all sessions are ended.\n"

    return _done(work)


def run_token(place: Place, name: str, label: str, days: int) -> int:
    """Print a new token for a program that acts as this user. It is shown once."""

    def work() -> str:
        with opened(place.database) as store:
            token = store.people.issue_token(datetime.now(UTC), BY, name, label, days)
        note(f"A token for {name}, good for {days} days. It is shown once; only a digest is kept.")
        return token + "\n"

    return _done(work)


def _hashed(name: str, password_from: str, shortest: int) -> str:
    from ivigil.service.auth.passwords import kept

    if password_from == "-":
        password = sys.stdin.readline().rstrip("\r\n")
    elif password_from:
        password = text_of(Path(password_from)).rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise BadInput([Problem("password", 0, "", "the two are not the same", "type it again")])
    else:
        raise BadInput([Problem("password", 0, "", "nobody is there to type it", "give it with --password-from FILE, or - for standard input")])
    return kept(password, name, shortest)


def _done(work: Callable[[], str]) -> int:
    try:
        write(work())
    except BadInput as error:
        return report(error.problems, "Nothing was changed:")
    return 0

"""Who is asking, for every handler."""

from __future__ import annotations

from fastapi import Request

from ivigil.basis.problems import Problem
from ivigil.service.errors import Refused
from ivigil.service.settings import Role
from ivigil.service.store import Store
from ivigil.service.store.people import Person


def person_of(request: Request) -> Person:
    """The person whom the gate let in.

    Raises:
        Refused: nobody signed in (only at addresses that are open to all).
    """
    person = request.scope.get("state", {}).get("person")
    if not isinstance(person, Person):
        raise Refused(401, Problem("sign-in", 0, "", "nobody is signed in", "sign in at /sign-in, or send 'Authorization: Bearer' with a token"))
    return person


def require(request: Request, role: Role) -> Person:
    """The person, who has this role.

    Raises:
        Refused: the person has not.
    """
    person = person_of(request)
    if not person.may(role):
        raise Refused(403, Problem("roles", 0, role, f"this needs the role '{role}'", "ask an administrator for it"))
    return person


def store_of(request: Request) -> Store:
    """The store of the service."""
    store = request.app.state.store
    assert isinstance(store, Store)
    return store

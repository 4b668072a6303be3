"""People, their sessions, tokens, passkeys, and the attempts that failed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

import msgspec
from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from ivigil.basis.problems import BadInput, Problem
from ivigil.service.settings import ROLES, Role
from ivigil.service.store.audit import AuditTrail
from ivigil.service.store.database import Database
from ivigil.service.store.tables import access_tokens, attempts, begun, passkeys, people, sessions


class Person(msgspec.Struct, frozen=True):
    """Somebody who may use the service. Everybody may read; the other roles add to that."""

    id: str
    name: str
    roles: frozenset[Role] = frozenset({"viewer"})
    disabled: bool = False

    def may(self, role: Role) -> bool:
        """Whether this person has the role."""
        return role == "viewer" or role in self.roles


OPEN = Person("open", "open mode", frozenset(ROLES))
"""Whoever sits at this machine when nobody is asked to sign in."""


class Passkey(msgspec.Struct, frozen=True):
    """A passkey as it is kept: only its public half."""

    credential: str
    person: str
    public_key: bytes
    uses: int
    name: str
    made: datetime


def digest_of(token: str) -> str:
    """What is kept of a token: a stolen database opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


class People:
    """The users of the service."""

    def __init__(self, database: Database, audit: AuditTrail) -> None:
        self.database = database
        self.audit = audit

    def add(self, now: datetime, by: str, name: str, roles: Iterable[Role], *, password: str | None = None, issuer: str = "", subject: str = "") -> Person:
        """A new user; ``password`` is a hash.

        Raises:
            BadInput: the name is taken.
        """
        person = Person(secrets.token_hex(8), name, frozenset(roles))
        values = {"id": person.id, "name": name, "roles": _joined(person.roles), "password": password, "issuer": issuer or None, "subject": subject or None,
                  "disabled": False, "made": now}
        try:
            with self.database.writing() as connection:
                connection.execute(people.insert().values(**values))
                self.audit.add(connection, now, by, "user.added", person.id, {"roles": _joined(person.roles)})
        except IntegrityError:
            raise BadInput([Problem("users", 0, name, "there is already a user of this name", "choose another name; 'ivigil users list' shows them")]) from None
        return person

    def everybody(self) -> list[tuple[Person, datetime]]:
        """All users with the day they were added, by name."""
        with self.database.reading() as connection:
            return [(_person(row), row.made) for row in connection.execute(select(people).order_by(people.c.name))]

    def count(self) -> int:
        """How many users may sign in."""
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(people).where(people.c.disabled.is_(False))).scalar_one()

    def named(self, name: str) -> tuple[Person, str | None] | None:
        """The user of a name with the hash of the password, or None."""
        with self.database.reading() as connection:
            row = connection.execute(select(people).where(people.c.name == name)).first()
        return (_person(row), row.password) if row is not None else None

    def by_id(self, identity: str) -> Person | None:
        """The user with this id."""
        with self.database.reading() as connection:
            row = connection.execute(select(people).where(people.c.id == identity)).first()
        return _person(row) if row is not None else None

    def by_subject(self, issuer: str, subject: str) -> Person | None:
        """The user whom the identity service calls so."""
        with self.database.reading() as connection:
            row = connection.execute(select(people).where(people.c.issuer == issuer, people.c.subject == subject)).first()
        return _person(row) if row is not None else None

    def change(self, now: datetime, by: str, name: str, *, disabled: bool | None = None, roles: Iterable[Role] | None = None, password: str | None = None,
               subject: tuple[str, str] | None = None) -> Person:
        """Change a user. Disabling, a new password or new roles end all sessions; disabling ends all tokens too.

        Raises:
            BadInput: there is no such user.
        """
        with self.database.writing() as connection:
            row = connection.execute(select(people).where(people.c.name == name)).first()
            if row is None:
                raise BadInput([Problem("users", 0, name, "there is no user of this name", "'ivigil users list' shows them")])
            values: dict[str, object] = {}
            detail: dict[str, str] = {}
            if disabled is not None:
                values["disabled"], detail["disabled"] = disabled, str(disabled).lower()
            if roles is not None:
                values["roles"] = detail["roles"] = _joined(roles)
            if password is not None:
                values["password"], detail["password"] = password, "changed"
            if subject is not None:
                values["issuer"], values["subject"] = subject
                detail["identity service"] = "linked"
            connection.execute(update(people).where(people.c.id == row.id).values(**values))
            connection.execute(delete(sessions).where(sessions.c.person == row.id))
            if disabled:
                connection.execute(delete(access_tokens).where(access_tokens.c.person == row.id))
            self.audit.add(connection, now, by, "user.changed", row.id, detail)
            return _person(connection.execute(select(people).where(people.c.id == row.id)).one())

    # --- sessions and tokens -------------------------------------------------------------------------------------------

    def open_session(self, now: datetime, person: Person, how: str, hours: int) -> str:
        """A new session; gives its token, of which only a digest is kept."""
        token = secrets.token_urlsafe(32)
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.ends < now))
            connection.execute(sessions.insert().values(digest=digest_of(token), person=person.id, made=now, seen=now, ends=now + timedelta(hours=hours)))
            self.audit.add(connection, now, person.id, "signed.in", person.id, {"how": how})
        return token

    def of_session(self, now: datetime, token: str, idle_minutes: int) -> Person | None:
        """Whose session it is; None when it is unknown, ended, idle for too long or its user disabled."""
        digest = digest_of(token)
        with self.database.reading() as connection:
            row = connection.execute(select(people, sessions.c.seen, sessions.c.ends).join(sessions, sessions.c.person == people.c.id)
                                     .where(sessions.c.digest == digest)).first()
        if row is None or row.disabled or row.ends <= now or row.seen + timedelta(minutes=idle_minutes) <= now:
            return None
        if now - row.seen > timedelta(minutes=1):
            with self.database.writing() as connection:
                connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen=now))
        return _person(row)

    def close_session(self, now: datetime, token: str, person: Person) -> None:
        """End a session."""
        with self.database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest_of(token)))
            self.audit.add(connection, now, person.id, "signed.out", person.id)

    def issue_token(self, now: datetime, by: str, name: str, label: str, days: int) -> str:
        """A token for a program that acts as this user, shown once.

        Raises:
            BadInput: there is no such user, or it is disabled.
        """
        found = self.named(name)
        if found is None or found[0].disabled:
            raise BadInput([Problem("users", 0, name, "there is no such user, or it is disabled", "'ivigil users list' shows them")])
        token = f"ivigil_{secrets.token_urlsafe(32)}"
        with self.database.writing() as connection:
            values = {"digest": digest_of(token), "person": found[0].id, "name": label, "made": now, "ends": now + timedelta(days=days)}
            connection.execute(access_tokens.insert().values(**values))
            self.audit.add(connection, now, by, "token.issued", found[0].id, {"label": label, "days": str(days)})
        return token

    def of_token(self, now: datetime, token: str) -> Person | None:
        """Whose token it is; None when unknown, ended or its user disabled."""
        with self.database.reading() as connection:
            row = connection.execute(select(people, access_tokens.c.ends).join(access_tokens, access_tokens.c.person == people.c.id)
                                     .where(access_tokens.c.digest == digest_of(token))).first()
        return _person(row) if row is not None and not row.disabled and row.ends > now else None

    # --- passkeys ------------------------------------------------------------------------------------------------------

    def add_passkey(self, now: datetime, person: Person, credential: str, public_key: bytes, uses: int, name: str) -> None:
        """Keep the public half of a passkey.

        Raises:
            BadInput: it is registered already.
        """
        try:
            with self.database.writing() as connection:
                connection.execute(passkeys.insert().values(credential=credential, person=person.id, public_key=public_key, uses=uses, name=name, made=now))
                self.audit.add(connection, now, person.id, "passkey.added", person.id)
        except IntegrityError:
            raise BadInput([Problem("passkey", 0, "", "this passkey is registered already", "sign in with it, or register another")]) from None

    def passkeys_of(self, person: Person) -> list[Passkey]:
        """The passkeys of a user."""
        with self.database.reading() as connection:
            return [Passkey(**row._mapping) for row in connection.execute(select(passkeys).where(passkeys.c.person == person.id).order_by(passkeys.c.made))]

    def passkey(self, credential: str) -> tuple[Passkey, Person] | None:
        """A passkey and its user, unless the user is disabled."""
        with self.database.reading() as connection:
            row = connection.execute(select(passkeys).where(passkeys.c.credential == credential)).first()
        person = self.by_id(row.person) if row is not None else None
        return (Passkey(**row._mapping), person) if row is not None and person is not None and not person.disabled else None

    def passkey_used(self, credential: str, uses: int) -> None:
        """Keep the counter of a passkey, by which a copy shows."""
        with self.database.writing() as connection:
            connection.execute(update(passkeys).where(passkeys.c.credential == credential).values(uses=uses))

    # --- sign-ins under way and attempts ------------------------------------------------------------------------------

    def begin(self, now: datetime, kind: str, document: str, minutes: int = 10) -> str:
        """Keep what a sign-in must bring back; gives the token under which it is found once."""
        token = secrets.token_urlsafe(32)
        with self.database.writing() as connection:
            connection.execute(delete(begun).where(begun.c.ends < now))
            connection.execute(begun.insert().values(digest=digest_of(token), kind=kind, document=document, ends=now + timedelta(minutes=minutes)))
        return token

    def finish(self, now: datetime, kind: str, token: str) -> str | None:
        """What was kept, once; None when it is unknown, used or too old."""
        where = (begun.c.digest == digest_of(token)) & (begun.c.kind == kind)
        with self.database.writing() as connection:
            row = connection.execute(select(begun).where(where)).first()
            connection.execute(delete(begun).where(where))
        return row.document if row is not None and row.ends > now else None

    def failed(self, now: datetime, whose: Iterable[str], minutes: int, name: str) -> None:
        """Count a failed attempt against a name and an address."""
        with self.database.writing() as connection:
            connection.execute(delete(attempts).where(attempts.c.at < now - timedelta(minutes=minutes)))
            for one in whose:
                connection.execute(attempts.insert().values(whose=one, at=now))
            known = connection.execute(select(people.c.id).where(people.c.name == name)).first()
            self.audit.add(connection, now, "nobody", "sign-in.failed", known.id if known is not None else "unknown")

    def failures(self, now: datetime, whose: str, minutes: int) -> int:
        """How many attempts failed lately."""
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(attempts)
                                      .where(attempts.c.whose == whose, attempts.c.at > now - timedelta(minutes=minutes))).scalar_one()


def _joined(roles: Iterable[Role]) -> str:
    return ",".join(role for role in ROLES if role in set(roles))


def _person(row: Row[tuple[object, ...]]) -> Person:
    names = row._mapping["roles"].split(",")
    return Person(row._mapping["id"], row._mapping["name"], frozenset(cast("Role", name) for name in names if name in ROLES), bool(row._mapping["disabled"]))


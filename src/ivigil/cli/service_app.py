"""The commands around the service: serving, its users, its audit trail, its database."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ivigil.cli.options import PLAIN, EvidenceFolder, Overlay

Settings = Annotated[str, typer.Option(metavar="FILE", help="Settings of the service: sign-in, public address, limits, identity service. See docs/service.md.")]
Database = Annotated[str, typer.Option(metavar="URL", help="sqlite:///FILE or postgresql://... Default: ivigil.db in this user's data folder.")]


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on. Without sign-in only this machine is allowed.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes. One that dies is started again.")] = 1,
    site: Annotated[str, typer.Option(metavar="FILE", help="Site profile: jurisdiction, policies, pump, formulary, prices, stock.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", "-j", metavar="ID", help="Where plans are made unless a caller says.")] = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    settings: Settings = "",
    database: Database = "",
    certificate: Annotated[str, typer.Option(metavar="FILE", help="TLS certificate chain (PEM), to serve https without a proxy.")] = "",
    key: Annotated[str, typer.Option(metavar="FILE", help="The private key of the certificate (PEM).")] = "",
) -> None:
    """Serve web pages, REST, CDS Hooks and FHIR on one port. Needs the extra 'web'."""
    from ivigil.cli.inputs import Choices
    from ivigil.cli.serve_command import Wanted, run_serve

    choices = Choices(jurisdiction=jurisdiction, overlay=overlay, evidence=evidence, site=site)
    raise typer.Exit(run_serve(Wanted(host, port, workers, settings, database, certificate, key), choices))


class Role(StrEnum):
    """What a user may do. Everybody may read."""

    VIEWER = "viewer"
    PRESCRIBER = "prescriber"
    REVIEWER = "reviewer"
    ADMIN = "admin"


Name = Annotated[str, typer.Argument(metavar="NAME", help="The name to sign in with.")]
PasswordFrom = Annotated[str, typer.Option(metavar="FILE", help="Read the password from the first line of this file; - is standard input.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="A role. May be given again.")]

users_app = typer.Typer(help="Add, list and disable the users of the service.", context_settings=PLAIN, rich_markup_mode=None, no_args_is_help=True)
audit_app = typer.Typer(help="Read and verify the audit trail of the service.", context_settings=PLAIN, rich_markup_mode=None, no_args_is_help=True)
database_app = typer.Typer(help="Look at and migrate the database of the service.", context_settings=PLAIN, rich_markup_mode=None, no_args_is_help=True)


@users_app.command("add")
def users_add(
    name: Name,
    role: Roles = None,
    password_from: PasswordFrom = "",
    subject: Annotated[str, typer.Option(metavar="ID", help="The user signs in through the identity service, which calls them so. No password then.")] = "",
    settings: Settings = "",
    database: Database = "",
) -> None:
    """Add a user. The password is asked for, unless it comes from a file."""
    from ivigil.cli.users_command import Place, run_add

    raise typer.Exit(run_add(Place(database, settings), name, [one.value for one in role or []], password_from, subject))


@users_app.command("list")
def users_list(database: Database = "") -> None:
    """List the users with their roles."""
    from ivigil.cli.users_command import Place, run_list

    raise typer.Exit(run_list(Place(database)))


@users_app.command("disable")
def users_disable(name: Name, database: Database = "") -> None:
    """Disable a user: sessions and tokens end at once. Saved plans and the audit trail stay."""
    from ivigil.cli.users_command import Place, run_change

    raise typer.Exit(run_change(Place(database), name, disabled=True))


@users_app.command("enable")
def users_enable(name: Name, database: Database = "") -> None:
    """Let a disabled user sign in again."""
    from ivigil.cli.users_command import Place, run_change

    raise typer.Exit(run_change(Place(database), name, disabled=False))


@users_app.command("roles")
def users_roles(name: Name, role: Roles = None, database: Database = "") -> None:
    """Give a user these roles in place of the former ones; none leaves a viewer."""
    from ivigil.cli.users_command import Place, run_change

    raise typer.Exit(run_change(Place(database), name, roles=[one.value for one in role or []]))


@users_app.command("password")
def users_password(name: Name, password_from: PasswordFrom = "", settings: Settings = "", database: Database = "") -> None:
    """Set a new password; all sessions of the user end."""
    from ivigil.cli.users_command import Place, run_password

    raise typer.Exit(run_password(Place(database, settings), name, password_from))


@users_app.command("token")
def users_token(
    name: Name,
    label: Annotated[str, typer.Option(metavar="TEXT", help="What the token is for.")] = "token",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 90,
    database: Database = "",
) -> None:
    """Print a token with which a program acts as this user ('Authorization: Bearer')."""
    from ivigil.cli.users_command import Place, run_token

    raise typer.Exit(run_token(Place(database), name, label, days))


@audit_app.command("verify")
def audit_verify(
    expect: Annotated[str, typer.Option(metavar="HEAD", help="A head noted earlier, NUMBER:SEAL; it must still stand there.")] = "",
    database: Database = "",
) -> None:
    """Prove that no entry of the audit trail was changed or taken out."""
    from ivigil.cli.database_command import run_verify

    raise typer.Exit(run_verify(database, expect))


@audit_app.command("show")
def audit_show(
    after: Annotated[int, typer.Option(min=0, help="Only entries after this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 1000,
    database: Database = "",
) -> None:
    """Print the audit trail, oldest first."""
    from ivigil.cli.database_command import run_trail

    raise typer.Exit(run_trail(database, after, limit))


@database_app.command("version")
def database_version(database: Database = "") -> None:
    """Say which version of the tables the database has."""
    from ivigil.cli.database_command import run_version

    raise typer.Exit(run_version(database))


@database_app.command("migrate")
def database_migrate(
    to: Annotated[str, typer.Option(metavar="VERSION", help="A version, head, or base, which takes all tables away.")] = "head",
    database: Database = "",
) -> None:
    """Bring the tables to a version, up or down. 'ivigil serve' brings them up by itself."""
    from ivigil.cli.database_command import run_migrate

    raise typer.Exit(run_migrate(database, to))


def backup(
    out: Annotated[str, typer.Argument(metavar="FILE", help="The file to write; it must not exist.")],
    database: Database = "",
) -> None:
    """Copy the embedded database of the service while it runs, and check the copy."""
    from ivigil.cli.database_command import run_backup

    raise typer.Exit(run_backup(database, out))


def restore(
    name: Annotated[str, typer.Argument(metavar="FILE", help="A file that 'ivigil backup' wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a database that is there; it is kept beside.")] = False,
    database: Database = "",
) -> None:
    """Put a backup in the place of the embedded database. Stop the service first."""
    from ivigil.cli.database_command import run_restore

    raise typer.Exit(run_restore(database, name, replace=replace))


def add_to(app: typer.Typer) -> None:
    """Hang the commands of the service into the program."""
    for command in (serve, backup, restore):
        app.command()(command)
    app.add_typer(users_app, name="users")
    app.add_typer(audit_app, name="audit")
    app.add_typer(database_app, name="database")

"""The commands around the service: serving, its users, its audit trail, its database."""

from __future__ import annotations

from typing import Annotated

import typer

from ivigil.cli.options import EvidenceFolder, Overlay

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


def add_to(app: typer.Typer) -> None:
    """Hang the commands of the service into the program."""
    app.command()(serve)

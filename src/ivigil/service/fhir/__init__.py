"""FHIR R4 operations: what this server can do, and a plan for the patient in a Bundle."""

from __future__ import annotations

from ivigil.service.fhir.doors import router

__all__ = ["router"]

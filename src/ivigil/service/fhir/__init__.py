"""FHIR R4 operations and SMART App Launch."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()

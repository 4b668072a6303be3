"""The web pages: server-rendered, one process, no build step."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()

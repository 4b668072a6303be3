"""Counts and times for the operators, never about a patient: labels are doors, methods and statuses."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where several worker processes add up their counts; set by ``ivigil serve --workers``."""

_EDGES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counts of one application, summed over its workers when it has several."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, program: str, evidence: str) -> None:
        self._registry = CollectorRegistry()
        self._shared = bool(os.environ.get(SHARED))
        self.requests = Counter("ivigil_requests", "Requests answered.", ("door", "method", "status"), registry=self._registry)
        self.seconds = Histogram("ivigil_request_seconds", "Time to the last byte of an answer.", ("door",), registry=self._registry, buckets=_EDGES)
        self.plans = Counter("ivigil_plans", "Plans made, by their status.", ("status",), registry=self._registry)
        self.failures = Counter("ivigil_failures", "Answers that failed through our own fault.", registry=self._registry)
        self.info = Gauge("ivigil_info", "Program and evidence in use.", ("program", "evidence"), registry=self._registry, multiprocess_mode="max")
        self._in_use = (program, evidence)
        self.info.labels(*self._in_use).set(1)

    def evidence(self, version: str) -> None:
        """Other evidence is in use from now on."""
        self.info.labels(*self._in_use).set(0)
        self._in_use = (self._in_use[0], version)
        self.info.labels(*self._in_use).set(1)

    def answered(self, door: str, method: str, status: int, seconds: float) -> None:
        """One request is done."""
        self.requests.labels(door, method, str(status)).inc()
        self.seconds.labels(door).observe(seconds)

    def text(self) -> bytes:
        """All counts in the Prometheus text format."""
        if not self._shared:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

"""How fast one caller may ask: a bucket of tokens for each, filled at a steady rate, one token a request.

Everybody who came in has a generous bucket, by person and by address, so that one broken program cannot take the service from the others; whoever
did not has a small one by address. Buckets are in the memory of the worker: with several workers each gives out the rates of the settings.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict

from ivigil.service.settings import Rates

MOST_CALLERS = 10_000
"""Buckets kept; the one unused for longest goes first, and would have been full again."""
_NETWORK = 64
"""An IPv6 caller has a whole network of addresses, so the network is the caller."""

_ROUNDING = 1e-9
"""Of a token: the part that sums of seconds lose, so that who waited as long as told finds one."""


class Buckets:
    """One bucket for each caller."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str, now: float) -> int:
        """Take a token: 0, or when there is none the whole seconds until there is one again, at least 1."""
        left, since = self._left.pop(caller, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - since) * self._rate)
        short = left < 1 - _ROUNDING
        self._left[caller] = (left if short else max(0.0, left - 1), now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return max(1, math.ceil((1 - left) / self._rate)) if short else 0


class Pace:
    """The buckets of one worker."""

    def __init__(self, rates: Rates) -> None:
        self._known = Buckets(rates.known, rates.known_burst)
        self._strangers = Buckets(rates.strangers, rates.strangers_burst)

    def of_address(self, address: str, now: float) -> int:
        """Seconds that a request from this address must wait, whoever sends it."""
        return self._known.wait(f"address {network_of(address)}", now)

    def of_person(self, person: str, now: float) -> int:
        """Seconds that a request of this person must wait, wherever it comes from."""
        return self._known.wait(f"person {person}", now)

    def of_stranger(self, address: str, now: float) -> int:
        """Seconds that a request of somebody who did not come in must wait."""
        return self._strangers.wait(network_of(address), now)


def network_of(address: str) -> str:
    """The caller behind an address: itself, or the network of an IPv6 address."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(read, ipaddress.IPv4Address):
        return address
    return str(read.ipv4_mapped or ipaddress.IPv6Network((int(read), _NETWORK), strict=False).network_address)

"""Settings are checked as a whole, and an unsafe start is refused."""

from __future__ import annotations

import pytest

from ivigil.basis.problems import BadInput
from ivigil.service.settings import OpenId, Settings, check_start, is_loopback, read_settings


def test_an_empty_file_is_a_service_for_this_machine() -> None:
    """No setting is needed to begin."""
    assert read_settings("", "settings.yaml") == Settings()


def test_every_mistake_is_told_with_its_line() -> None:
    """A misspelt key, a path in an origin, plain http and a limit of nought, all at once."""
    with pytest.raises(BadInput) as caught:
        read_settings("mode: sign-in\nframe_ancestor: [https://a.example]\n", "s.yaml")
    problem, = caught.value.problems
    assert (problem.place, problem.line) == ("s.yaml", 2)
    assert "frame_ancestors" in problem.remedy
    with pytest.raises(BadInput) as caught:
        read_settings("public_url: http://ivigil.example\nframe_ancestors: [https://a.example/page]\n"
                      "limits:\n  body: 0\nopenid:\n  issuer: https://id.example\n", "s.yaml")
    assert {(one.line, one.what) for one in caught.value.problems} == {(1, "public_url"), (2, "frame_ancestors"), (4, "limits.body"), (5, "openid.client_id")}


@pytest.mark.parametrize(("settings", "host", "certificate", "users", "refused"), [
    (Settings(), "127.0.0.1", False, 0, 0),
    (Settings(), "::1", False, 0, 0),
    (Settings(), "0.0.0.0", False, 5, 1),
    (Settings(public_url="https://a.example"), "127.0.0.1", False, 5, 1),
    (Settings(behind_proxy=True), "127.0.0.1", False, 5, 1),
    (Settings(mode="sign-in"), "127.0.0.1", False, 1, 0),
    (Settings(mode="sign-in"), "127.0.0.1", False, 0, 1),
    (Settings(mode="sign-in"), "0.0.0.0", False, 1, 1),
    (Settings(mode="sign-in"), "0.0.0.0", True, 1, 0),
    (Settings(mode="sign-in", openid=OpenId(issuer="https://id.example", client_id="x")), "127.0.0.1", False, 0, 0),
])
def test_a_start_that_would_be_open_to_strangers_is_refused(settings: Settings, host: str, certificate: bool, users: int, refused: int) -> None:
    """Open mode listens on this machine only; passwords never travel in the clear; sign-in needs somebody who can."""
    if not refused:
        check_start(settings, host, certificate=certificate, users=users)
        return
    with pytest.raises(BadInput) as caught:
        check_start(settings, host, certificate=certificate, users=users)
    assert len(caught.value.problems) == refused
    assert all(one.remedy for one in caught.value.problems)


@pytest.mark.parametrize(("host", "here"), [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
                                            ("10.0.0.1", False), ("hospital.example", False)])
def test_which_addresses_only_this_machine_reaches(host: str, here: bool) -> None:
    """An address that listens on every network is not this machine."""
    assert is_loopback(host) is here

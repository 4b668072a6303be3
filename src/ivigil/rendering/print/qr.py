"""QR codes that lead to a page. They hold an address and nothing of the patient."""

from __future__ import annotations

import io
from urllib.parse import urlsplit

from ivigil.basis.problems import BadInput, Problem

_LONGEST = 500


def qr_svg(address: str) -> str:
    """The QR code of an address as an SVG element.

    Raises:
        BadInput: not a plain http(s) address, or the extra ``print`` is not installed.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or len(address) > _LONGEST or not address.isprintable():
        raise BadInput([Problem("--link", 0, "", "not an http or https address", "give the address of the page, for example https://ivigil.hospital.example/leaflet/7")])
    try:
        import segno
    except ImportError:
        raise BadInput([Problem("--link", 0, "", "QR codes need the extra 'print'", "pip install 'ivigil[print]'")]) from None
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", xmldecl=False, svgns=True, scale=4, title="QR code")
    return out.getvalue().decode()

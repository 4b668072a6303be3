"""A drawing of ivigil as PNG, for slides and records that take no SVG. The same drawing gives the same bytes."""

from __future__ import annotations

from ivigil.basis.problems import BadInput, Problem

_PAGE = """#set page(width: auto, height: auto, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg")
"""
_PER_INCH = 144.0
"""Twice the size of the drawing, so that thin lines stay sharp."""


def png_of(svg: str) -> bytes:
    """The picture of an SVG element that ivigil made.

    Raises:
        BadInput: the extra ``print`` is not installed.
    """
    try:
        import typst
    except ImportError:
        raise BadInput([Problem("--plot", 0, "", "PNG needs the extra 'print'", "pip install 'ivigil[print]', or name a file that ends in .svg")]) from None
    return bytes(typst.compile(_PAGE.encode(), sys_inputs={"svg": svg}, format="png", ppi=_PER_INCH, ignore_system_fonts=True))

"""The fields of a posted form."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import UploadFile

from ivigil.patient.read import LARGEST, text_of
from ivigil.service.hospital import bounded, hospital_of

_MOST_FIELDS = 2000


async def posted(request: Request) -> dict[str, str]:
    """The fields of a form; a file that was chosen takes the place of ``record``.

    Raises:
        BadInput: the file is too large, or cannot be read as text.
    """
    async with request.form(max_fields=_MOST_FIELDS, max_files=1, max_part_size=LARGEST) as form:
        fields = {name: value.replace("\r\n", "\n") for name, value in form.multi_items() if isinstance(value, str)}
        chosen = form.get("file")
        if isinstance(chosen, UploadFile) and chosen.filename:
            fields["record"] = text_of(bounded(await chosen.read(), hospital_of(request).limits, "file"), "file")
            fields.pop("changes", None)
    return fields

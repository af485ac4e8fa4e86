"""Files of made-up ids, as the client uploads them."""

from __future__ import annotations

from cint_nb.domain.files import UploadFile
from cint_nb.domain.ids import EntityType, synthetic_id


def upload_file(
    ids: int = 3, *, seed: str = "tests", first: int = 0, entity: EntityType | str = EntityType.RSID
) -> UploadFile:
    """Make a file of so many ids of a seed, from the `first` on."""
    lines = "".join(f"{synthetic_id(seed, first + number)}\n" for number in range(ids))
    return UploadFile(lines.encode(), ids, EntityType(entity))

"""Who is excluded by file from other target groups of a project: people who withdrew there stand among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cint_nb.api.client import AsyncClient
from cint_nb.domain.errors import ApiError, NotFound
from cint_nb.domain.models import TargetGroupRef

GROUPS_MAX = 20
"""How many groups of a project are asked: the sources first, then the newest."""


@dataclass(frozen=True)
class FileExclusions:
    """Who is excluded from one target group by an uploaded file.

    Args:
        name: The group's name, or its id.
        rsids: Their RSIDs; None if they cannot be distinguished from those of other reasons, or were not read.
    """

    name: str
    rsids: tuple[str, ...] | None


async def read_file_exclusions(
    client: AsyncClient, ref: TargetGroupRef, sources: Iterable[TargetGroupRef]
) -> tuple[FileExclusions, ...]:
    """Return the exclusions by file of other groups: of the sources, and of the project's newest; empty ones left out.

    One request lists the groups; of each the excluded are counted, and listed where there are any. The list holds those
    that a project or other activity keeps out too: where it is longer than the count, they cannot be distinguished.

    Raises:
        ApiError: the groups could not be listed.
    """
    names: dict[TargetGroupRef, str] = {source: source.target_group_id for source in sources}
    async for row in client.target_groups.list(ref.project_id, whole=True):
        other = TargetGroupRef(project_id=ref.project_id, target_group_id=row.id)
        names[other] = row.name or row.id
    names.pop(ref, None)
    found = [await _of_group(client, other, name) for other, name in list(names.items())[:GROUPS_MAX]]
    found += [FileExclusions(name, None) for name in list(names.values())[GROUPS_MAX:]]
    return tuple(each for each in found if each.rsids != ())


async def _of_group(client: AsyncClient, ref: TargetGroupRef, name: str) -> FileExclusions:
    try:
        count = (await client.exclusions.overview(ref)).saved_respondent_ids_count
        if count == 0:
            return FileExclusions(name, ())
        listed = await client.exclusions.effective_rsids(ref)
    except NotFound:
        return FileExclusions(name, ())
    except ApiError:
        return FileExclusions(name, None)
    return FileExclusions(name, listed if count == len(listed) else None)

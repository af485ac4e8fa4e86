"""The files of reports: rows of visits as CSV, or as a minimal workbook."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape

from cint_nb.domain.ids import EntityType
from cint_nb.sandbox.simulation.fieldwork import COMPLETE, OUTCOMES
from cint_nb.sandbox.world.catalogue import SUPPLIERS
from cint_nb.sandbox.world.entities import TargetGroup, Visit
from cint_nb.sandbox.world.id_store import to_id_bytes, to_uuid_text
from cint_nb.sandbox.world.ids import made_up_id
from cint_nb.sandbox.world.world import World

Row = list[str]

# Cint publishes no column headers of its reports: these are assumptions, so readers should go by the content.
VISIT_HEADER: Row = [
    "Respondent ID (RSID)",
    "Response ID (RID)",
    "Project ID",
    "Target Group ID",
    "Entry Date (UTC)",
    "Last Date (UTC)",
    "Client Status",
    "Status Description",
    "Supplier",
    "LOI (seconds)",
    "CPI",
    "Currency",
]
_SUPPLIER_NAMES = {supplier["supplier_id"]: supplier["name"] for supplier in SUPPLIERS}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def visit_rid(group: TargetGroup, key: bytes) -> str:
    """Return the response id of a person's visit to a target group."""
    return made_up_id(EntityType.RID, f"visit to {group.id}", int.from_bytes(key))


def visit_rids(world: World) -> dict[bytes, bytes]:
    """Return the respondents of all visits in this sandbox, by response id."""
    return {
        to_id_bytes(visit_rid(group, visit.key)): visit.key
        for group in world.groups.values()
        for visit in group.fieldwork.visits
    }


def visit_rows(
    world: World, groups: Iterable[TargetGroup], begin: float, end: float, *, completes_only: bool = False
) -> list[Row]:
    """Return the visits to target groups that ended in a period as rows, header first."""
    rows = [VISIT_HEADER]
    for group in groups:
        rows += [
            _row(world, group, visit)
            for visit in group.fieldwork.visits
            if begin <= visit.ended <= end and (not completes_only or visit.outcome == COMPLETE)
        ]
    return rows


def outcome_count_rows(groups: Iterable[TargetGroup]) -> list[Row]:
    """Return the counts of outcomes by target group as rows, header first."""
    rows: list[Row] = [["Target Group ID", "Client Status", "Status Description", "Count"]]
    for group in groups:
        for name, (code, label, _) in OUTCOMES.items():
            if group.fieldwork.counts[name]:
                rows.append([group.id, code, label, str(group.fieldwork.counts[name])])
    return rows


def write_csv(rows: Iterable[Row]) -> bytes:
    """Write rows as CSV, UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def write_workbook(rows: Iterable[Row]) -> bytes:
    """Write rows as a workbook with one sheet, all cells text; the same rows give the same bytes."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(
            f'<c r="{_column(place)}{number}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
            for place, value in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    kind = "http://schemas.openxmlformats.org"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{kind}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{kind}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{kind}/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{kind}/spreadsheetml/2006/main" '
        f'xmlns:r="{kind}/officeDocument/2006/relationships"><sheets>'
        '<sheet name="Report" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{kind}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}/officeDocument/2006/relationships/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{kind}/spreadsheetml/2006/main"><sheetData>'
        + "".join(lines)
        + "</sheetData></worksheet>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in files.items():
            declared = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}'
            book.writestr(zipfile.ZipInfo(name, _EPOCH), declared.encode("utf-8", "replace"))
    return buffer.getvalue()


def _row(world: World, group: TargetGroup, visit: Visit) -> Row:
    code, label, _ = OUTCOMES[visit.outcome]
    return [
        to_uuid_text(visit.key),
        visit_rid(group, visit.key),
        group.project_id,
        group.id,
        world.format_time(visit.entered),
        world.format_time(visit.ended),
        code,
        label,
        _SUPPLIER_NAMES.get(world.population.supplier_of(visit.key), ""),
        str(round(visit.ended - visit.entered)),
        format(visit.cost, "f"),
        group.currency,
    ]


def _column(place: int) -> str:
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name

"""The files of reports: rows of visits as CSV, or as a minimal workbook.

Times are in US Central time, as in all reports of the exchange, and carry no zone: of the hour that an autumn night has
twice, a row does not say which one it means.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape

from cint_nb.sandbox.simulation import fieldwork
from cint_nb.sandbox.simulation.outcomes import ANSWERED, COMPLETES, OUTCOMES, SCREENED_OUT
from cint_nb.sandbox.simulation.visit_ids import visit_rid
from cint_nb.sandbox.world.catalogue import SUPPLIERS
from cint_nb.sandbox.world.central_time import to_central
from cint_nb.sandbox.world.entities import TargetGroup, Visit
from cint_nb.sandbox.world.id_store import to_uuid_text
from cint_nb.sandbox.world.people import Person
from cint_nb.sandbox.world.world import World

Row = list[str]

# Cint publishes no column headers of its reports: these are assumptions, so readers should go by the content.
VISIT_HEADER: Row = [
    "Respondent ID (RSID)",
    "Response ID (RID)",
    "Project ID",
    "Target Group ID",
    "Entry Date",
    "Last Date",
    "Marketplace Status",
    "Client Status",
    "Status Description",
    "Supplier",
    "LOI (seconds)",
    "CPI",
    "Currency",
]
ANSWER_HEADER: Row = ["AGE", "GENDER", "REGION", "EDUCATION", "DEVICE", "RATING"]
"""The answers to the qualifications, and to one question of the survey that is asked in every wave."""
_SUPPLIER_NAMES = {supplier["supplier_id"]: supplier["name"] for supplier in SUPPLIERS}
_NEVER_REACHED = -1
"""The client's status of a visit that never reached the client's survey."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def visit_rows(
    world: World,
    groups: Iterable[TargetGroup],
    begin: float,
    end: float,
    *,
    completes_only: bool = False,
    with_answers: bool = False,
) -> list[Row]:
    """Return the visits to target groups that ended in a period as rows, header first.

    Args:
        world: The world.
        groups: The target groups.
        begin: Begin of the period, virtual seconds.
        end: Its end.
        completes_only: Whether to leave out what is no complete.
        with_answers: Whether to add what people answered.
    """
    rows = [VISIT_HEADER + ANSWER_HEADER if with_answers else VISIT_HEADER]
    for group in groups:
        for visit in group.fieldwork.visits:
            if begin <= visit.ended <= end and (not completes_only or visit.outcome in COMPLETES):
                person = Person(visit.key)
                row = _row(world, group, visit, person)
                rows.append(row + _answers(world, group, visit, person) if with_answers else row)
    return rows


def outcome_count_rows(groups: Iterable[TargetGroup]) -> list[Row]:
    """Return the counts of outcomes by target group as rows, header first."""
    rows: list[Row] = [["Target Group ID", "Client Status", "Status Description", "Count"]]
    for group in groups:
        for name, outcome in OUTCOMES.items():
            if group.fieldwork.counts[name]:
                rows.append([group.id, outcome.status, outcome.label, str(group.fieldwork.counts[name])])
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


def _row(world: World, group: TargetGroup, visit: Visit, person: Person) -> Row:
    outcome = OUTCOMES[visit.outcome]
    return [
        to_uuid_text(visit.key),
        visit_rid(group, visit),
        group.project_id,
        group.id,
        _central(world, visit.entered),
        _central(world, visit.ended),
        str(outcome.marketplace),
        str(_NEVER_REACHED if outcome.client is None else outcome.client),
        outcome.label,
        _SUPPLIER_NAMES.get(person.supplier(world.population.parameters.suppliers), ""),
        str(round(visit.ended - visit.entered)),
        format(visit.cost, "f"),
        group.currency,
    ]


def _central(world: World, t: float) -> str:
    return to_central(world.time_at(t)).isoformat(" ", "seconds")


def _answers(world: World, group: TargetGroup, visit: Visit, person: Person) -> Row:
    """Return what a person answered until their visit ended: nothing before the screening, all at the survey's end."""
    outcome = OUTCOMES[visit.outcome]
    if not outcome.reached_survey and visit.outcome != SCREENED_OUT:
        return [""] * len(ANSWER_HEADER)
    population, wave = fieldwork.people_of(world, group)
    rating = str(population.answer(person, wave)) if visit.outcome in ANSWERED else ""
    return [str(person.age), person.gender, person.region, person.education, person.device, rating]


def _column(place: int) -> str:
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name

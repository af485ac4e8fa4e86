"""The request body of a draft, and alternatives to offer when the exchange rejects part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cint_nb.domain import limits
from cint_nb.domain.definitions import AllocationTemplate
from cint_nb.domain.errors import BadRequest, InputError
from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan

_REFERENCE_FIELD = "target_group_customer_reference_number"


def build_draft_body(plan: TargetGroupPlan | Mapping[str, Any], *, name: str | None, reference: str) -> dict[str, Any]:
    """Return the JSON body of a draft, with its name and the reference that identifies it later.

    Raises:
        InputError: a body passed as a dict has a field of an older API version.
    """
    if isinstance(plan, TargetGroupPlan):
        return plan.to_body(name=name, customer_reference_number=reference) | {_REFERENCE_FIELD: reference}
    body = dict(plan)
    if "profile" in body:
        raise InputError(
            "A draft of this API version has no field 'profile'.",
            evidence={"field": "profile", "version": limits.API_VERSION},
            next_step="omit it, which suits a recontact, or write 'profiling' as shown in the create guide.",
        )
    if name:
        body.setdefault("name", name)
    body[_REFERENCE_FIELD] = reference
    exclusion = body.get("exclusion")
    if isinstance(exclusion, Mapping) and "list" in exclusion:
        # The list is deprecated and its fields are mislabelled in the documents; exclusions are uploaded as a file.
        if exclusion["list"]:
            raise InputError(
                "exclusion.list is no longer in use; its IDs would not be excluded reliably.",
                evidence={"field": "exclusion.list"},
                next_step="omit it, create the draft, then use client.exclusions.upload(...).",
            )
        body["exclusion"] = {key: value for key, value in exclusion.items() if key != "list"}
    return body


def allocation_format_of(body: Mapping[str, Any]) -> AllocationFormat | None:
    """Return in which of the known formats a body states its allocations; None if in none of them."""
    if "allocation_template" in body:
        return AllocationFormat.ALLOCATION_TEMPLATE
    allocations = body.get("allocations")
    if allocations is None:
        return AllocationFormat.OMITTED
    if not isinstance(allocations, Mapping):
        return None
    return AllocationFormat.TEMPLATE_ID if "template_id" in allocations else AllocationFormat.OPEN_EXCHANGE


def convert_allocations(
    body: Mapping[str, Any],
    allocation_format: AllocationFormat,
    *,
    template_id: str = limits.RECONTACT_TEMPLATE_ID,
    template: AllocationTemplate | None = None,
) -> dict[str, Any]:
    """Return the body with its allocations in another of the known formats.

    Args:
        body: Body of a draft.
        allocation_format: The wanted format.
        template_id: Id of the allocation template.
        template: The template itself, which the expanded format requires: `client.definitions.allocation_template(id)`.

    Raises:
        InputError: the expanded format was requested without the template.
    """
    rest = {key: value for key, value in body.items() if key not in ("allocations", "allocation_template")}
    match allocation_format:
        case AllocationFormat.TEMPLATE_ID:
            return {**rest, "allocations": {"template_id": template_id}}
        case AllocationFormat.ALLOCATION_TEMPLATE:
            return {**rest, "allocation_template": {"id": template_id, "type": "global"}}
        case AllocationFormat.OPEN_EXCHANGE:
            if template is None:
                raise InputError(
                    "Expanded allocations require the template they are expanded from.",
                    evidence={"template_id": template_id},
                    next_step="read it with client.definitions.allocation_template(template_id) and pass it.",
                )
            return {**rest, "allocations": {"open_exchange_allocations": template.to_open_exchange_allocations()}}
        case AllocationFormat.OMITTED:
            return rest


def mentions_field(error: BadRequest, word: str) -> bool:
    """Return whether a rejection is about a field: by the fields it names, or by its text if it names none."""
    if error.invalid_params:
        return any(word in name for name, _ in error.invalid_params if name is not None)
    return word in error.what.lower().replace(" ", "_")


def suggest_allocation_formats(error: BadRequest, body: Mapping[str, Any]) -> None:
    """Add to a rejection of the allocations which other formats could be tried; none is tried automatically."""
    tried = allocation_format_of(body)
    if tried is None or not mentions_field(error, "allocation"):
        return
    others = [each for each in AllocationFormat if each not in (tried, AllocationFormat.OMITTED)]
    if tried is AllocationFormat.OMITTED:  # without a template to name, they can only be spelled out
        others = [AllocationFormat.OPEN_EXCHANGE]
    error.evidence["allocation_format"] = str(tried)
    error.evidence["other_formats"] = ", ".join(others)
    error.safe = "a rejected draft creates nothing, so you can safely try another format."
    error.next_step = (
        "Cint's documents show other formats for the allocations: resend the plan with "
        f"allocation_format={str(others[0])!r}, then check the result with "
        "client.target_groups.allocation_specification(ref)."
    )


def states_exclusion(body: Mapping[str, Any]) -> bool:
    """Return whether a body states if people of the same project are excluded; no document gives a default."""
    exclusion = body.get("exclusion")
    return isinstance(exclusion, Mapping) and isinstance(exclusion.get("enabled"), bool)


def toggle_unit_id_type(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the body with its business unit id as text instead of a number, or vice versa; None if it has none.

    Documents of the same API version disagree about the type.
    """
    unit = body.get("business_unit_id")
    if isinstance(unit, str) and unit.isascii() and unit.isdigit():
        return {**body, "business_unit_id": int(unit)}
    if isinstance(unit, int) and not isinstance(unit, bool):
        return {**body, "business_unit_id": str(unit)}
    return None

"""What the exchange did not say is None in every model: never an empty text, an empty list, a zero or a no."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from pydantic import BaseModel

import cint_nb.domain
from cint_nb.domain.definitions import Country
from cint_nb.domain.fielding import BatchResult
from cint_nb.domain.jobs import JobHandle, JobKind
from cint_nb.domain.models import Amount, ApiModel

for module in pkgutil.iter_modules(cint_nb.domain.__path__):
    importlib.import_module(f"cint_nb.domain.{module.name}")

REQUIRED: dict[Any, Any] = {str: "x", int: 1, bool: True, datetime: "2026-09-01T08:00:00Z", Country: {"code": "de"}}


def subclasses(base: type[ApiModel]) -> Iterator[type[ApiModel]]:
    for model in base.__subclasses__():
        yield model
        yield from subclasses(model)


MODELS = sorted(set(subclasses(ApiModel)), key=lambda model: model.__name__)


def required(model: type[ApiModel]) -> dict[str, Any]:
    """Return a reply with only what the model requires."""
    needed = {name: field.annotation for name, field in model.model_fields.items() if field.is_required()}
    return {
        name: required(kind) if isinstance(kind, type) and issubclass(kind, ApiModel) else REQUIRED.get(kind, ())
        for name, kind in needed.items()
        if kind is not None
    }


def claims(shown: BaseModel, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a model claims that the reply did not say, within nested models too."""
    found: dict[str, Any] = {}
    for name in type(shown).model_fields:
        value = getattr(shown, name)
        if name in given or value is None:
            continue
        if isinstance(value, BaseModel):
            found |= {f"{name}.{inner}": claim for inner, claim in claims(value, {}).items()}
        else:
            found[name] = value
    return found


def texts(model: type[ApiModel]) -> list[str]:
    return [
        name for name, field in model.model_fields.items() if field.annotation == str | None and not field.is_required()
    ]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_claims_nothing_that_the_reply_did_not_say(model: type[ApiModel]) -> None:
    given = required(model)
    assert claims(model.model_validate(given), given) == {}


@pytest.mark.parametrize("model", [model for model in MODELS if texts(model)], ids=lambda model: model.__name__)
def test_absent_null_and_empty_text_mean_the_same(model: type[ApiModel]) -> None:
    given = required(model)
    absent = model.model_validate(given)
    for nothing in (None, ""):
        assert model.model_validate({**given, **dict.fromkeys(texts(model), nothing)}) == absent


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_handle_stored_with_empty_texts_is_read_as_one_without_them(nothing: str | None) -> None:
    of = {"kind": JobKind.UPLOAD, "base_url": "https://sandbox.invalid/v1", "account_id": 1}
    unknown = dict.fromkeys(("job_id", "project_id", "target_group_id", "file_name", "sha256"), nothing)
    handle = JobHandle.model_validate({**of, **unknown})
    assert {name: getattr(handle, name) for name in unknown} == dict.fromkeys(unknown)
    assert handle.id_count is None
    assert JobHandle.model_validate_json(handle.model_dump_json(exclude_none=True)) == handle, "as the journal keeps it"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ({"value": "1400.5", "currency_code": "EUR"}, "1,400.5 EUR"),
        ({"value": "0", "currency_code": "EUR"}, "0 EUR"),
        ({"value": "2", "currency_code": ""}, "2"),
        ({"currency_code": "EUR"}, "not known"),
    ],
)
def test_an_amount_is_shown_as_far_as_it_is_known(amount: dict[str, str], shown: str) -> None:
    assert str(Amount.model_validate(amount)) == shown


@pytest.mark.parametrize("empty", [{"data": []}, []])
def test_an_empty_list_of_a_batch_is_none_of_them_and_an_absent_one_is_not_known(empty: Any) -> None:
    nothing = BatchResult.model_validate({"updated_target_groups": empty, "failed_target_groups": empty})
    assert (nothing.updated, nothing.failed) == ((), {})
    unknown = BatchResult.model_validate({"updated_target_groups": None})
    assert (unknown.updated, unknown.failed) == (None, None)


@pytest.mark.parametrize("reason", [None, "", {}, {"description": "", "code": None}])
def test_a_failure_without_a_reason_keeps_its_target_group(reason: Any) -> None:
    row = {"target_group_id": "B", "failure_reason": reason}
    assert BatchResult.model_validate({"failed_target_groups": {"data": [row]}}).failed == {"B": None}

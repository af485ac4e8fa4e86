"""A stranger's client, generated from a description, parses every reply of the sandbox, success or error.

Generated twice: from the sandbox's own description, and from the vendor's document where it is at hand.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.sandbox.http.openapi_document import build_openapi
from cint_nb.sandbox.http.routes import OPERATIONS, Router
from tests.contract.openapi_documents import vendor
from tests.support.plans import guide_draft
from tests.support.sandbox_client import RawClient
from tests.support.sandbox_tour import take_tour
from tests.support.vendor import VENDOR_FILE

if importlib.util.find_spec("openapi_python_client") is None:  # to import it takes long, and its command does that
    pytest.skip("openapi-python-client is not installed", allow_module_level=True)
pytestmark = pytest.mark.thorough

Replies = list[tuple[str, httpx.Response]]
UNKNOWN = "01BTGNYV6HRNK8K8VKZASZCFP1"


def take_tour_of_errors(client: RawClient) -> None:
    """Provoke every error status that the description names."""
    group = client.group()
    client.saved_ids(group, [synthetic_id("errors", number) for number in range(30)])
    locations = f"{group}/fielding-run-jobs/launch-from-draft"
    client.post(f"{group.rsplit('/', 1)[0]}", {"name": "x"})
    client.get(group.replace("/101/", "/102/"))
    client.get(f"{group[:-26]}{UNKNOWN}")
    client.get(group, headers={"Authorization": "Bearer nobody"})
    client.upload(group, ["x" * 5_000_000])
    client.ask("POST", f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID", content=b"x")
    client.post(f"{group}/recontacts/jobs/remove-all-rsids")
    client.post(f"{group}/recontacts/jobs/remove-all-rsids")
    client.sandbox.advance(60)
    client.saved_ids(group, [synthetic_id("errors", number) for number in range(30)])
    client.sandbox.faults.arm("429@launch")
    client.post(locations, {"end_fielding_at": "2026-09-13T08:00:00.000Z"}, key="one")
    run = client.launched(group)
    client.post(f"{run}/pause", headers={"If-Match": 'W/"0"'})
    client.post(f"{run}/resume", headers={"If-Match": client.get(run).headers["etag"]})
    client.get(group)


@pytest.fixture(scope="module")
def replies() -> Iterator[Replies]:
    """Return the replies of both tours, each with its operation."""
    from cint_nb.sandbox.sandbox import Sandbox

    client, router, seen = RawClient(Sandbox(seed=1)), Router(), []
    plain = client.ask

    def listen(method: str, path: str, **more: Any) -> httpx.Response:
        reply = plain(method, path, **more)
        operation, _, _ = router.match(method, path.split("?")[0])
        if operation is not None:
            seen.append((operation.name, reply))
        return reply

    client.ask = listen  # type: ignore[method-assign]  # it listens in
    client.log_in()
    take_tour(client)
    project = client.project()
    made = client.post(f"{project}/target-groups", guide_draft()).json()["id"]
    fresh = f"{project}/target-groups/{made}"
    client.get(fresh)
    client.ask("PUT", f"{fresh}/profiles/completes-goal", json={"completes_goal": 20})
    take_tour_of_errors(client)
    yield seen
    client.close()


def generate(document: dict[str, Any], folder: Path, name: str) -> ModuleType:
    """Generate a client and import it."""
    (folder / "openapi.json").write_text(json.dumps(document, default=str))
    (folder / "config.yml").write_text("literal_enums: true\n")
    command = Path(sys.executable).with_name("openapi-python-client")
    options = ["--path=openapi.json", "--config=config.yml", "--meta=none", f"--output-path={name}", "--overwrite"]
    done = subprocess.run([command, "generate", *options], cwd=folder, capture_output=True, text=True, check=False)
    assert (folder / name / "client.py").exists(), done.stdout[-4_000:]
    package = folder / name
    spec = importlib.util.spec_from_file_location(
        name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parsers(client: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return what parses the replies of each operation."""
    folder = Path(str(client.__file__)).parent
    found: dict[str, Callable[..., Any]] = {}
    for path in sorted(folder.glob("api/*/*.py")):
        if path.stem != "__init__":
            name = f"{client.__name__}.api.{path.parent.name}.{path.stem}"
            with suppress(ModuleNotFoundError):  # the generator leaves out models that it cannot make
                found[path.stem] = importlib.import_module(name)._parse_response
    return found


def plain(value: Any) -> Any:
    """Return a value with its times in one spelling: generated clients write another one than they read."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(value)
    return value


@dataclass
class Outcome:
    """What a generated client made of the replies, by operation and status; `left_out`: what was not generated."""

    read: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


def parse_all(client: ModuleType, replies: Replies) -> Outcome:
    """Parse every reply with the client's own code."""
    own = importlib.import_module(f"{client.__name__}.client").Client(
        base_url="http://sandbox.invalid", raise_on_unexpected_status=True
    )
    unexpected = importlib.import_module(f"{client.__name__}.errors").UnexpectedStatus
    known, outcome = parsers(client), Outcome()
    for name, reply in replies:
        place = f"{name} {reply.status_code}"
        if name not in known:
            outcome.left_out.add(place)
            continue
        try:
            parsed = known[name](client=own, response=reply)
        except (ModuleNotFoundError, unexpected):  # a model, or all of a reply, was not generated
            outcome.left_out.add(place)
            continue
        except Exception as error:  # noqa: BLE001 - whatever a stranger's program would stop with
            outcome.failed[place] = f"{type(error).__name__}: {error}"[:300]
            continue
        outcome.read.add(place)
        try:
            is_whole = not hasattr(parsed, "to_dict") or plain(parsed.to_dict()) == plain(reply.json())
        except AttributeError:  # the generator writes no code for what it read as one of several forms
            continue
        if not is_whole:
            outcome.failed[place] = "something was lost"
    return outcome


NOT_GENERATED = {"post_reconciliations 202", "get_target_group_rate_card 200"}
"""The generator makes no operation whose body is CSV without an envelope, nor one whose reply is one of two objects."""


def test_a_client_of_our_own_description_parses_every_reply(replies: Replies, tmp_path: Path) -> None:
    outcome = parse_all(generate({**build_openapi()}, tmp_path, "client_of_our_description"), replies)
    assert outcome.failed == {}
    assert outcome.left_out == NOT_GENERATED
    read = {place.split()[0] for place in outcome.read}
    assert read == {row.name for row in OPERATIONS} - {place.split()[0] for place in NOT_GENERATED}
    statuses = {int(place.split()[1]) for place in outcome.read}
    assert statuses == {200, 201, 202, 204, 301, 400, 401, 403, 404, 409, 412, 413, 415, 422, 429}


NOT_AS_DOCUMENTED = {
    "generate_report 202",
    "update_bulk_target_group_exclusions_api 204",
    "add_target_groups_to_exclusion_group 204",
    "remove_target_groups_from_exclusion_group 204",
}
"""The document has a report id that is UUID and ULID at once, and a 204 with a body: see `deviations.toml`."""


NOT_MADE = {
    "calculate_target_group_feasibility 200",
    "calculate_target_group_feasibility_by_id 200",
    "create_target_group 201",
    "generate_price_prediction 200",
    "get_eligible_target_groups 200",
    "get_fielding_assistant_assignment 200",
    "get_list_target_groups 200",
    "get_reconciliations_by_account_id 200",
    "get_target_group 200",
    "get_target_group_changelog 200",
    "get_target_group_details 200",
    "get_target_group_overview 200",
    "get_target_group_performance 200",
    "get_target_group_price 200",
    "list_profiles 200",
    "manage_target_group_profiles 201",
    "post_reconciliations 202",
    "update_cost_per_interview 200",
    "update_launched_target_group_details 200",
    "update_profile_filling_goal 200",
    "update_target_group 204",
    "validate_profiles 204",
}
"""What the generator cannot make of the document: profiles and prices of several forms, and bodies of CSV."""


@pytest.mark.skipif(not VENDOR_FILE, reason="the vendor's OpenAPI document is not at hand")
def test_a_client_of_the_vendors_document_parses_every_reply(replies: Replies, tmp_path: Path) -> None:
    document = json.loads(json.dumps(vendor().document, default=str))
    served = {row.name for row in OPERATIONS}
    for path, item in list(document["paths"].items()):
        for method in [name for name, row in item.items() if isinstance(row, dict) and "operationId" in row]:
            if item[method]["operationId"] not in served:
                del item[method]
        if not any(isinstance(row, dict) and "operationId" in row for row in item.values()):
            del document["paths"][path]
    client = generate(document, tmp_path, "client_of_the_vendors_document")
    outcome = parse_all(client, [(name, reply) for name, reply in replies if reply.is_success])
    assert set(outcome.failed) == NOT_AS_DOCUMENTED, outcome.failed
    assert len(outcome.read) > 50
    assert outcome.left_out <= NOT_MADE

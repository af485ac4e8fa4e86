"""Random sequences of legal and illegal requests: whatever happens, the world keeps its invariants."""

from __future__ import annotations

from typing import Any

import httpx
import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from cint_nb.domain import ids
from cint_nb.sandbox.sandbox import Sandbox
from cint_nb.sandbox.world.id_store import to_id_bytes
from cint_nb.sandbox.world.population import UploadResult
from tests.support.sampling import examples
from tests.support.sandbox_client import RawClient

PEOPLE = [ids.synthetic_id("machine", number) for number in range(600)]
STATES = ("draft", "scheduled", "live", "paused", "completed")
MOVES = {
    "draft": {"draft", "scheduled", "live", "paused", "completed"},
    "scheduled": {"scheduled", "live", "paused", "completed"},
    "live": {"live", "paused", "completed"},
    "paused": {"paused", "live", "completed"},
    "completed": {"completed", "live", "paused"},
}
UPLOAD = "recontacts/jobs/upload-respondents-by-file"
REMOVAL = "recontacts/jobs/remove-all-rsids"


class SandboxMachine(RuleBasedStateMachine):
    """Random requests, with the sandbox compared to a small model of what must be true."""

    groups = Bundle("groups")

    @initialize(seed=st.integers(0, 5))
    def begin(self, seed: int) -> None:
        self.sandbox = Sandbox(seed=seed)
        self.raw_client = RawClient(self.sandbox)
        self.raw_client.log_in()
        self.project = self.raw_client.project()
        self.added: dict[str, set[str]] = {}
        self.jobs: dict[str, list[str]] = {}
        self.status: dict[str, str] = {}
        self.token_at = 0.0

    def teardown(self) -> None:
        if hasattr(self, "raw_client"):
            self.raw_client.close()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        if self.sandbox.clock.elapsed - self.token_at > 80_000:
            self.raw_client.log_in()
            self.token_at = self.sandbox.clock.elapsed
        reply = self.raw_client.ask(method, path, **more)
        assert reply.status_code < 500, reply.text
        return reply

    @rule(
        target=groups, goal=st.integers(1, 60), recontact=st.booleans(), strategy=st.sampled_from(["completes", None])
    )
    def create(self, goal: int, recontact: bool, strategy: str | None) -> str:
        later = self.sandbox.world.format_time(self.sandbox.clock.elapsed + 20 * 86_400)
        changes: dict[str, Any] = {
            "completes_goal": goal,
            "filling_strategy": strategy,
            "fielding_specification": {"start_at": later, "end_at": later.replace("2026", "2027")},
        }
        if not recontact:
            changes.update(study_type_code="adhoc", allocations=None)
        if self.sandbox.clock.elapsed - self.token_at > 80_000:
            self.raw_client.log_in()
            self.token_at = self.sandbox.clock.elapsed
        group = self.raw_client.group(self.project, **changes)
        self.added[group], self.jobs[group], self.status[group] = set(), [], "draft"
        return group

    @rule(group=groups, begin=st.integers(0, 599), count=st.integers(0, 300), dirt=st.sampled_from(["", "x", "RSID,1"]))
    def upload(self, group: str, begin: int, count: int, dirt: str) -> None:
        lines = [*PEOPLE[begin : begin + count], dirt]
        file = {"file": ("wave.csv", "\n".join(lines).encode(), "text/csv")}
        busy = self.is_busy(group)
        reply = self.ask("POST", f"{group}/{UPLOAD}", params={"entity_type": "RSID"}, files=file)
        if busy and reply.status_code != 400:
            assert reply.status_code == 409
        if reply.status_code == 201:
            assert not busy, "one lock"
            self.jobs[group].append(f"{UPLOAD}/{reply.json()['job_id']}")
            self.added[group] |= set(lines) & set(PEOPLE)

    @rule(group=groups)
    def remove(self, group: str) -> None:
        busy = self.is_busy(group)
        reply = self.ask("POST", f"{group}/{REMOVAL}")
        assert reply.status_code == (409 if busy else 201)
        if not busy:
            self.jobs[group].append(f"{REMOVAL}/{reply.json()['job_id']}")

    @rule(group=groups, hours=st.integers(-1, 200))
    def launch(self, group: str, hours: int) -> None:
        end = self.sandbox.world.format_time(self.sandbox.clock.elapsed + hours * 3_600)
        path = f"{group}/fielding-run-jobs/launch-from-draft"
        reply = self.ask(
            "POST", path, json={"end_fielding_at": end}, headers={"idempotency-key": self.raw_client.new_key()}
        )
        assert reply.status_code == (201 if hours > 0 else 400)

    @rule(
        group=groups,
        action=st.sampled_from(["pause", "resume", "complete", "relaunch", "launch-now"]),
        stale=st.booleans(),
    )
    def act(self, group: str, action: str, stale: bool) -> None:
        runs = self.ask("GET", f"{group}/fielding-runs").json()["data"]
        if not runs:
            return
        version = runs[0]["version"] - (1 if stale else 0)
        path = f"{group}/fielding-runs/{runs[0]['id']}/{action}"
        reply = self.ask("POST", path, headers={"If-Match": f'W/"{version}"'})
        assert reply.status_code == 412 if stale else reply.status_code in (200, 204, 422)
        if reply.status_code == 422:
            assert self.ask("GET", f"{group}/fielding-runs").json()["data"] == runs, "refused without a trace"

    @rule(seconds=st.sampled_from([1, 20, 60, 3_600, 86_400]))
    def wait(self, seconds: int) -> None:
        self.sandbox.advance(seconds)

    def is_busy(self, group: str) -> bool:
        return any(self.ask("GET", f"{group}/{job}").json()["status"] == "Processing" for job in self.jobs[group])

    @invariant()
    def the_lists_and_counts_agree(self) -> None:
        for group, added in getattr(self, "added", {}).items():
            count = self.ask("GET", f"{group}/recontacts/overview").json()["saved_respondent_ids_count"]
            listed: list[str] = []
            cursor = ""
            while True:
                params = {"page_size": 100, **({"start_after": cursor} if cursor else {})}
                page = self.ask("GET", f"{group}/recontacts/rsids", params=params).json()
                listed += page.get("data", [])
                cursor = page.get("next_cursor") or ""
                if not cursor:
                    break
            assert len(listed) == count <= 100_000
            assert len(set(listed)) == count
            assert set(listed) <= added, "nobody is saved who was never sent"

    @invariant()
    def everyone_accepted_is_saved_once_the_jobs_are_done(self) -> None:
        for group, jobs in getattr(self, "jobs", {}).items():
            if not jobs or self.is_busy(group):
                continue
            last = jobs[-1]
            count = self.ask("GET", f"{group}/recontacts/overview").json()["saved_respondent_ids_count"]
            if last.startswith(REMOVAL):
                assert count == 0
            elif not any(job.startswith(REMOVAL) for job in jobs):
                upload_result = self.sandbox.world.population.upload_result
                sure = {one for one in self.added[group] if upload_result(to_id_bytes(one)) is UploadResult.ACCEPTED}
                assert len(sure) <= count <= len(self.added[group])

    @invariant()
    def no_group_leaves_its_states(self) -> None:
        listed = (
            self.ask("GET", f"{self.project}/target-groups", params={"page_size": 100}).json()
            if self.status_known
            else {}
        )
        for entry in listed.get("target_groups", []):
            group = f"{self.project}/target-groups/{entry['id']}"
            assert entry["status"] in STATES
            assert entry["status"] in MOVES[self.status[group]]
            self.status[group] = entry["status"]
            progress = entry["statistics"]["progress"]["value"]
            assert progress["current_completes"] <= progress["current_prescreens"]
            assert (entry["status"] == "draft") == (self.ask("GET", f"{group}/overview").status_code == 404)

    @property
    def status_known(self) -> bool:
        return bool(getattr(self, "status", None))


TestWorld = SandboxMachine.TestCase
TestWorld.settings = settings(
    max_examples=examples(12), stateful_step_count=25, suppress_health_check=list(HealthCheck), derandomize=True
)

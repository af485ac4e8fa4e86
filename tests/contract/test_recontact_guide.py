"""Every statement of the recontact guide's main path holds, as a plain HTTP client sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.sandbox.people import Fate

KEY = {"idempotency-key": "7d4f0f1e-93f1-4c11-8b42-63d7d4c0a4b1"}
TEMPLATE = "01JH0PEGPC4Z8RDD304E2SF0EW"


def lines(ids: list[str]) -> bytes:
    return "".join(f"{identifier}\n" for identifier in ids).encode()


def launch(exchange: Any, group: str, **headers: str) -> Any:
    end = (exchange.sandbox.clock.now() + timedelta(days=5)).isoformat()
    return exchange.call(
        "POST",
        f"{group}/fielding-run-jobs/launch-from-draft",
        json={"end_fielding_at": end},
        headers=KEY | headers,
    )


def launch_job(exchange: Any, group: str) -> dict[str, Any]:
    job_id = launch(exchange, group).headers["location"].rsplit("/", 1)[-1]
    exchange.wait(minutes=10)
    return dict(exchange.call("GET", f"{group}/fielding-run-jobs/launch-from-draft/{job_id}").json())


class TestStep1CreateADraft:
    def test_a_successful_request_returns_201_and_the_target_group_id(self, exchange: Any) -> None:
        reply = exchange.create()
        assert reply.status_code == 201
        assert len(reply.json()["id"]) == 26

    def test_the_new_target_group_is_a_draft_with_the_recontact_study_type(self, exchange: Any) -> None:
        group = exchange.call("GET", exchange.group()).json()
        assert group["study_type_code"] == "recontact"
        assert group.get("status", "draft") == "draft"

    @pytest.mark.parametrize("field", ["live_url", "test_url"])
    def test_both_urls_must_contain_the_recontact_variable(self, exchange: Any, field: str) -> None:
        reply = exchange.create(**{field: "https://your-survey.com?RID=[%RID%]"})
        assert reply.status_code == 400
        assert "RECONTACT_RSID" in reply.text

    def test_profiling_may_be_omitted(self, exchange: Any) -> None:
        assert "profiling" not in exchange.draft_body()
        assert exchange.create().status_code == 201

    def test_the_recontact_template_must_be_used(self, exchange: Any) -> None:
        reply = exchange.create(allocations={"template_id": "01JH0PEGPC4Z8RDD304E2SF0EX"})
        assert reply.status_code == 400
        assert "llocation" in reply.text

    def test_the_later_shape_of_the_template_is_taken_too(self, exchange: Any) -> None:
        reply = exchange.create(allocations=None, allocation_template={"id": TEMPLATE, "type": "global"})
        assert reply.status_code == 201

    def test_the_goal_must_not_be_above_the_saved_ids_when_it_is_launched(self, exchange: Any) -> None:
        group = exchange.group(completes_goal=10)
        exchange.upload(group, lines(exchange.ids(9)))
        exchange.wait(hours=1)
        job = launch_job(exchange, group)
        assert job["status"] == "Failed"
        assert "goal" in str(job["failure_reason"]).lower()

    def test_project_exclusion_can_be_disabled(self, exchange: Any) -> None:
        group = exchange.group(exclusion={"enabled": False})
        assert exchange.call("GET", f"{group}/exclusion-policy").json()["project_exclusion_enabled"] is False


class TestStep2Upload:
    def test_a_successful_request_returns_201_and_a_job_id(self, exchange: Any) -> None:
        reply = exchange.upload(exchange.group(), lines(exchange.ids(20)))
        assert reply.status_code == 201
        assert list(reply.json()) == ["job_id"]

    @pytest.mark.parametrize("word", ["RSID", "RESPONDENT_ID", "RID", "RESPONSE_ID"])
    def test_the_four_entity_types_are_accepted(self, exchange: Any, word: str) -> None:
        assert exchange.upload(exchange.group(), lines(exchange.ids(3)), entity_type=word).status_code == 201

    def test_the_entity_type_is_required(self, exchange: Any) -> None:
        group = exchange.group()
        reply = exchange.call(
            "POST",
            f"{group}/recontacts/jobs/upload-respondents-by-file",
            files={"file": ("respondents.csv", lines(exchange.ids(3)), "text/csv")},
        )
        assert reply.status_code == 400

    def test_processing_happens_in_the_future(self, exchange: Any) -> None:
        group = exchange.group()
        job_id = exchange.upload(group, lines(exchange.ids(20))).json()["job_id"]
        assert exchange.job(group, job_id)["status"] == "Processing"
        exchange.wait(hours=1)
        assert exchange.job(group, job_id)["status"] == "Completed"

    def test_only_one_job_runs_at_a_time_and_a_second_gets_409(self, exchange: Any) -> None:
        group = exchange.group()
        exchange.upload(group, lines(exchange.ids(20)))
        again = exchange.upload(group, lines(exchange.ids(20)))
        assert again.status_code == 409
        assert again.json()["object"] == "conflict_error"

    @pytest.mark.parametrize(("name", "status"), [("a.csv", 201), ("a.txt", 201), ("a.xlsx", 400), ("a", 400)])
    def test_the_file_must_be_csv_or_txt(self, exchange: Any, name: str, status: int) -> None:
        assert exchange.upload(exchange.group(), lines(exchange.ids(3)), name=name).status_code == status

    def test_a_header_row_counts_as_failed(self, exchange: Any) -> None:
        group = exchange.group()
        job_id = exchange.upload(group, b"RSID\n" + lines(exchange.ids(20))).json()["job_id"]
        exchange.wait(hours=1)
        text = exchange.job(group, job_id)["partial_success_reason"]["description"]
        assert "20 respondent IDs uploaded successfully, 1 failed" in text

    def test_each_line_holds_a_single_identifier(self, exchange: Any) -> None:
        ids = exchange.ids(4)
        group = exchange.group()
        content = lines(ids[:2]) + f"{ids[2]},{ids[3]}\n".encode()
        job_id = exchange.upload(group, content).json()["job_id"]
        exchange.wait(hours=1)
        assert "2 respondent IDs uploaded successfully, 1 failed" in str(exchange.job(group, job_id))

    def test_only_one_file_is_taken_per_job(self, exchange: Any) -> None:
        group = exchange.group()
        part = ("respondents.csv", lines(exchange.ids(3)), "text/csv")
        reply = exchange.call(
            "POST",
            f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID",
            files=[("file", part), ("file", part)],
        )
        assert reply.status_code == 400

    def test_the_file_must_be_smaller_than_5_mb(self, exchange: Any) -> None:
        group = exchange.group()
        assert exchange.upload(group, b"x" * 5_000_000).status_code == 413
        assert exchange.upload(group, b"x" * 4_999_999).status_code != 413

    def test_existing_and_new_ids_together_cannot_exceed_100_000(self, exchange: Any) -> None:
        group = exchange.group()
        many = [synthetic_id("many", number) for number in range(105_000)]
        exchange.upload(group, lines(many[:60_000]))
        exchange.wait(hours=3)
        held = exchange.saved(group)
        assert held > 57_000
        reply = exchange.upload(group, lines(many[60_000:]))
        assert reply.status_code == 400
        assert "100000" in reply.text
        assert exchange.saved(group) == held

    def test_response_ids_are_mapped_to_and_saved_as_respondent_ids(self, exchange: Any) -> None:
        from cint_nb.sandbox.people import rid_of

        rids = [rid_of(1, number, 0) for number in range(40)]
        group = exchange.group()
        exchange.upload(group, lines(rids), entity_type="RID")
        exchange.wait(hours=1)
        saved = exchange.call("GET", f"{group}/recontacts/rsids?page_size=100").json()["data"]
        people = {exchange.sandbox.world.people.rsid(number) for number in range(40)}
        assert saved
        assert set(saved) <= people
        assert not set(saved) & set(rids)


class TestStep3CheckTheJob:
    def test_a_complete_success_has_no_partial_success_reason(self, exchange: Any) -> None:
        group = exchange.group()
        job_id = exchange.upload(group, lines(exchange.ids(20))).json()["job_id"]
        exchange.wait(hours=1)
        job = exchange.job(group, job_id)
        assert (job["status"], job["failure_reason"], job["partial_success_reason"]) == ("Completed", None, None)
        assert job["completed_at"] > job["created_at"]

    def test_a_partial_success_says_how_many_in_the_guides_words(self, exchange: Any) -> None:
        group = exchange.group()
        content = lines(exchange.ids(500)) + b"\n" * 4 + b"not an id\n" * 6
        job_id = exchange.upload(group, content).json()["job_id"]
        exchange.wait(hours=1)
        assert exchange.job(group, job_id)["partial_success_reason"] == {
            "description": "Upload partially successful. 500 respondent IDs uploaded successfully, "
            "10 failed (invalid or empty)."
        }

    def test_ids_that_failed_may_be_sent_again_on_their_own(self, exchange: Any) -> None:
        later = exchange.ids(5, Fate.LATER)
        group = exchange.group()
        exchange.upload(group, lines(exchange.ids(20) + later))
        exchange.wait(hours=1)
        assert exchange.saved(group) == 20
        exchange.upload(group, lines(later))
        exchange.wait(hours=1)
        assert exchange.saved(group) == 25


class TestStep4Launch:
    def test_when_the_launch_job_has_succeeded_the_group_is_live(self, exchange: Any) -> None:
        group = exchange.group(completes_goal=10)
        exchange.upload(group, lines(exchange.ids(20)))
        exchange.wait(hours=1)
        assert launch_job(exchange, group)["status"] == "Completed"
        assert exchange.call("GET", f"{group}/overview").json()["status"] == "live"

    def test_it_collects_completes_from_the_list(self, exchange: Any) -> None:
        group = exchange.group(completes_goal=30)
        exchange.upload(group, lines(exchange.ids(200)))
        exchange.wait(hours=1)
        launch_job(exchange, group)
        exchange.wait(days=4)
        performance = exchange.call("GET", f"{group}/performance").json()
        assert 0 < performance["completes"] <= 30


class TestRemoving:
    def uploaded(self, exchange: Any) -> str:
        group = exchange.group()
        exchange.upload(group, lines(exchange.ids(30)))
        exchange.wait(hours=1)
        return str(group)

    def remove(self, exchange: Any, group: str) -> Any:
        return exchange.call("POST", f"{group}/recontacts/jobs/remove-all-rsids")

    def test_a_removal_returns_201_and_a_job_id_and_removes_all(self, exchange: Any) -> None:
        group = self.uploaded(exchange)
        reply = self.remove(exchange, group)
        assert reply.status_code == 201
        exchange.wait(hours=1)
        job = exchange.job(group, reply.json()["job_id"], "remove-all-rsids")
        assert (job["status"], job["failure_reason"]) == ("Completed", None)
        assert exchange.saved(group) == 0

    def test_they_can_be_added_back(self, exchange: Any) -> None:
        group = self.uploaded(exchange)
        self.remove(exchange, group)
        exchange.wait(hours=1)
        exchange.upload(group, lines(exchange.ids(30)))
        exchange.wait(hours=1)
        assert exchange.saved(group) == 30

    def test_a_removal_while_another_job_runs_is_an_error(self, exchange: Any) -> None:
        group = exchange.group()
        exchange.upload(group, lines(exchange.ids(30)))
        assert self.remove(exchange, group).status_code == 409


class TestManagingUploadJobs:
    def test_the_list_is_paged_and_the_newest_comes_first(self, exchange: Any) -> None:
        group = exchange.group()
        for number in range(3):
            exchange.upload(group, lines(exchange.ids(3)), name=f"file{number}.csv")
            exchange.wait(hours=1)
        path = f"{group}/recontacts/jobs/upload-respondents-by-file"
        first = exchange.call("GET", f"{path}?page_size=2").json()
        second = exchange.call("GET", f"{path}?page_size=2&start_after={first['next_cursor']}").json()
        names = [job["file_name"] for job in first["data"] + second["data"]]
        assert names == ["file2.csv", "file1.csv", "file0.csv"]
        assert not second.get("next_cursor")

    @pytest.mark.parametrize(("size", "status"), [("1", 200), ("100", 200), ("1000", 200), ("0", 400), ("1001", 400)])
    def test_a_page_holds_1_to_1000(self, exchange: Any, size: str, status: int) -> None:
        group = exchange.group()
        reply = exchange.call("GET", f"{group}/recontacts/jobs/upload-respondents-by-file?page_size={size}")
        assert reply.status_code == status

    def test_the_original_file_can_be_downloaded_under_its_name(self, exchange: Any) -> None:
        group = exchange.group()
        content = b"\xef\xbb\xbf" + lines(exchange.ids(3))
        job_id = exchange.upload(group, content, name="wave 1 (final).csv").json()["job_id"]
        reply = exchange.call("GET", f"{group}/recontacts/jobs/upload-respondents-by-file/{job_id}/download")
        assert reply.content == content
        assert "wave_1__final_.csv" in reply.headers["content-disposition"]


class TestTroubleshooting:
    def seconds(self, exchange: Any, group: str, job_id: str, kind: str) -> float:
        for minute in range(60):
            if exchange.job(group, job_id, kind)["status"] != "Processing":
                return minute * 60
            exchange.wait(minutes=1)
        raise AssertionError("the job never ended")

    def test_10_000_ids_take_10_to_15_minutes_to_store_and_3_to_5_to_remove(self, exchange: Any) -> None:
        group = exchange.group()
        content = lines([synthetic_id("many", number) for number in range(10_000)])
        stored = exchange.upload(group, content).json()["job_id"]
        assert 600 <= self.seconds(exchange, group, stored, "upload-respondents-by-file") <= 960
        exchange.wait(minutes=1)
        removed = exchange.call("POST", f"{group}/recontacts/jobs/remove-all-rsids").json()["job_id"]
        assert 180 <= self.seconds(exchange, group, removed, "remove-all-rsids") <= 360

    def test_404_for_a_target_group_that_does_not_exist(self, exchange: Any) -> None:
        missing = f"{exchange.group()[:-26]}01JX2X0N5RTR012AYDTA83QWTW"
        assert exchange.call("GET", f"{missing}/recontacts/overview").status_code == 404

    def test_401_for_a_missing_or_invalid_token(self, exchange: Any) -> None:
        group = exchange.group()
        reply = exchange.call("GET", f"{group}/recontacts/overview", headers={"Authorization": "Bearer nonsense"})
        assert reply.status_code == 401

    def test_403_for_another_account(self, exchange: Any) -> None:
        assert exchange.call("GET", "/v1/demand/accounts/999/projects").status_code == 403

    def test_415_for_what_is_not_multipart(self, exchange: Any) -> None:
        group = exchange.group()
        path = f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID"
        for content_type in ("text/csv", "multipart/form-data"):
            reply = exchange.call("POST", path, content=b"x\n", headers={"Content-Type": content_type})
            assert reply.status_code == 415

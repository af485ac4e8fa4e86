"""Every statement of the recontact guide's main path holds, as a plain HTTP client sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cint_nb.domain.ids import synthetic_id
from cint_nb.sandbox.world.population import UploadResult
from tests.support.sandbox_client import GuideClient

KEY = {"idempotency-key": "7d4f0f1e-93f1-4c11-8b42-63d7d4c0a4b1"}
TEMPLATE = "01JH0PEGPC4Z8RDD304E2SF0EW"


def lines(ids: list[str]) -> bytes:
    return "".join(f"{identifier}\n" for identifier in ids).encode()


def launch(guide_client: GuideClient, group: str, **headers: str) -> Any:
    end = (guide_client.sandbox.clock.now() + timedelta(days=5)).isoformat()
    return guide_client.call(
        "POST",
        f"{group}/fielding-run-jobs/launch-from-draft",
        json={"end_fielding_at": end},
        headers=KEY | headers,
    )


def launch_job(guide_client: GuideClient, group: str) -> dict[str, Any]:
    job_id = launch(guide_client, group).headers["location"].rsplit("/", 1)[-1]
    guide_client.wait(minutes=10)
    return dict(guide_client.call("GET", f"{group}/fielding-run-jobs/launch-from-draft/{job_id}").json())


class TestStep1CreateADraft:
    def test_a_successful_request_returns_201_and_the_target_group_id(self, guide_client: GuideClient) -> None:
        reply = guide_client.create()
        assert reply.status_code == 201
        assert len(reply.json()["id"]) == 26

    def test_the_new_target_group_is_a_draft_with_the_recontact_study_type(self, guide_client: GuideClient) -> None:
        group = guide_client.call("GET", guide_client.group()).json()
        assert group["study_type_code"] == "recontact"
        assert group.get("status", "draft") == "draft"

    @pytest.mark.parametrize("field", ["live_url", "test_url"])
    def test_both_urls_must_contain_the_recontact_variable(self, guide_client: GuideClient, field: str) -> None:
        reply = guide_client.create(**{field: "https://your-survey.com?RID=[%RID%]"})
        assert reply.status_code == 400
        assert "RECONTACT_RSID" in reply.text

    def test_profiling_may_be_omitted(self, guide_client: GuideClient) -> None:
        assert "profiling" not in guide_client.draft_body()
        assert guide_client.create().status_code == 201

    def test_the_recontact_template_must_be_used(self, guide_client: GuideClient) -> None:
        reply = guide_client.create(allocations={"template_id": "01JH0PEGPC4Z8RDD304E2SF0EX"})
        assert reply.status_code == 400
        assert "llocation" in reply.text

    def test_the_later_shape_of_the_template_is_taken_too(self, guide_client: GuideClient) -> None:
        reply = guide_client.create(allocations=None, allocation_template={"id": TEMPLATE, "type": "global"})
        assert reply.status_code == 201

    def test_the_goal_must_not_be_above_the_saved_ids_when_it_is_launched(self, guide_client: GuideClient) -> None:
        group = guide_client.group(completes_goal=10)
        guide_client.upload(group, lines(guide_client.ids(9)))
        guide_client.wait(hours=1)
        job = launch_job(guide_client, group)
        assert job["status"] == "Failed"
        assert "goal" in str(job["failure_reason"]).lower()

    def test_project_exclusion_can_be_disabled(self, guide_client: GuideClient) -> None:
        group = guide_client.group(exclusion={"enabled": False})
        assert guide_client.call("GET", f"{group}/exclusion-policy").json()["project_exclusion_enabled"] is False


class TestStep2Upload:
    def test_a_successful_request_returns_201_and_a_job_id(self, guide_client: GuideClient) -> None:
        reply = guide_client.upload(guide_client.group(), lines(guide_client.ids(20)))
        assert reply.status_code == 201
        assert list(reply.json()) == ["job_id"]

    @pytest.mark.parametrize("word", ["RSID", "RESPONDENT_ID", "RID", "RESPONSE_ID"])
    def test_the_four_entity_types_are_accepted(self, guide_client: GuideClient, word: str) -> None:
        assert (
            guide_client.upload(guide_client.group(), lines(guide_client.ids(3)), entity_type=word).status_code == 201
        )

    def test_the_entity_type_is_required(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        reply = guide_client.call(
            "POST",
            f"{group}/recontacts/jobs/upload-respondents-by-file",
            files={"file": ("respondents.csv", lines(guide_client.ids(3)), "text/csv")},
        )
        assert reply.status_code == 400

    def test_processing_happens_in_the_future(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        job_id = guide_client.upload(group, lines(guide_client.ids(20))).json()["job_id"]
        assert guide_client.job(group, job_id)["status"] == "Processing"
        guide_client.wait(hours=1)
        assert guide_client.job(group, job_id)["status"] == "Completed"

    def test_only_one_job_runs_at_a_time_and_a_second_gets_409(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        guide_client.upload(group, lines(guide_client.ids(20)))
        again = guide_client.upload(group, lines(guide_client.ids(20)))
        assert again.status_code == 409
        assert again.json()["object"] == "conflict_error"

    @pytest.mark.parametrize(("name", "status"), [("a.csv", 201), ("a.txt", 201), ("a.xlsx", 400), ("a", 400)])
    def test_the_file_must_be_csv_or_txt(self, guide_client: GuideClient, name: str, status: int) -> None:
        assert guide_client.upload(guide_client.group(), lines(guide_client.ids(3)), name=name).status_code == status

    def test_a_header_row_counts_as_failed(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        job_id = guide_client.upload(group, b"RSID\n" + lines(guide_client.ids(20))).json()["job_id"]
        guide_client.wait(hours=1)
        text = guide_client.job(group, job_id)["partial_success_reason"]["description"]
        assert "20 respondent IDs uploaded successfully, 1 failed" in text

    def test_each_line_holds_a_single_identifier(self, guide_client: GuideClient) -> None:
        ids = guide_client.ids(4)
        group = guide_client.group()
        content = lines(ids[:2]) + f"{ids[2]},{ids[3]}\n".encode()
        job_id = guide_client.upload(group, content).json()["job_id"]
        guide_client.wait(hours=1)
        assert "2 respondent IDs uploaded successfully, 1 failed" in str(guide_client.job(group, job_id))

    def test_only_one_file_is_taken_per_job(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        part = ("respondents.csv", lines(guide_client.ids(3)), "text/csv")
        reply = guide_client.call(
            "POST",
            f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID",
            files=[("file", part), ("file", part)],
        )
        assert reply.status_code == 400

    def test_the_file_must_be_smaller_than_5_mb(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        assert guide_client.upload(group, b"x" * 5_000_000).status_code == 413
        assert guide_client.upload(group, b"x" * 4_999_999).status_code != 413

    def test_existing_and_new_ids_together_cannot_exceed_100_000(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        many = [synthetic_id("many", number) for number in range(105_000)]
        guide_client.upload(group, lines(many[:60_000]))
        guide_client.wait(hours=3)
        held = guide_client.saved(group)
        assert held > 57_000
        reply = guide_client.upload(group, lines(many[60_000:]))
        assert reply.status_code == 400
        assert "100000" in reply.text
        assert guide_client.saved(group) == held

    def test_response_ids_are_mapped_to_and_saved_as_respondent_ids(self, guide_client: GuideClient) -> None:
        from cint_nb.sandbox.world.population import rid_of

        rids = [rid_of(1, number, 0) for number in range(40)]
        group = guide_client.group()
        guide_client.upload(group, lines(rids), entity_type="RID")
        guide_client.wait(hours=1)
        saved = guide_client.call("GET", f"{group}/recontacts/rsids?page_size=100").json()["data"]
        people = {guide_client.sandbox.world.population.rsid(number) for number in range(40)}
        assert saved
        assert set(saved) <= people
        assert not set(saved) & set(rids)


class TestStep3CheckTheJob:
    def test_a_complete_success_has_no_partial_success_reason(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        job_id = guide_client.upload(group, lines(guide_client.ids(20))).json()["job_id"]
        guide_client.wait(hours=1)
        job = guide_client.job(group, job_id)
        assert (job["status"], job["failure_reason"], job["partial_success_reason"]) == ("Completed", None, None)
        assert job["completed_at"] > job["created_at"]

    def test_a_partial_success_says_how_many_in_the_guides_words(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        content = lines(guide_client.ids(500)) + b"\n" * 4 + b"not an id\n" * 6
        job_id = guide_client.upload(group, content).json()["job_id"]
        guide_client.wait(hours=1)
        assert guide_client.job(group, job_id)["partial_success_reason"] == {
            "description": "Upload partially successful. 500 respondent IDs uploaded successfully, "
            "10 failed (invalid or empty)."
        }

    def test_ids_that_failed_may_be_sent_again_on_their_own(self, guide_client: GuideClient) -> None:
        later = guide_client.ids(5, UploadResult.ACCEPTED_LATER)
        group = guide_client.group()
        guide_client.upload(group, lines(guide_client.ids(20) + later))
        guide_client.wait(hours=1)
        assert guide_client.saved(group) == 20
        guide_client.upload(group, lines(later))
        guide_client.wait(hours=1)
        assert guide_client.saved(group) == 25


class TestStep4Launch:
    def test_when_the_launch_job_has_succeeded_the_group_is_live(self, guide_client: GuideClient) -> None:
        group = guide_client.group(completes_goal=10)
        guide_client.upload(group, lines(guide_client.ids(20)))
        guide_client.wait(hours=1)
        assert launch_job(guide_client, group)["status"] == "Completed"
        assert guide_client.call("GET", f"{group}/overview").json()["status"] == "live"

    def test_it_collects_completes_from_the_list(self, guide_client: GuideClient) -> None:
        group = guide_client.group(completes_goal=30)
        guide_client.upload(group, lines(guide_client.ids(200)))
        guide_client.wait(hours=1)
        launch_job(guide_client, group)
        guide_client.wait(days=4)
        performance = guide_client.call("GET", f"{group}/performance").json()
        assert 0 < performance["completes"] <= 30


class TestRemoving:
    def uploaded(self, guide_client: GuideClient) -> str:
        group = guide_client.group()
        guide_client.upload(group, lines(guide_client.ids(30)))
        guide_client.wait(hours=1)
        return str(group)

    def remove(self, guide_client: GuideClient, group: str) -> Any:
        return guide_client.call("POST", f"{group}/recontacts/jobs/remove-all-rsids")

    def test_a_removal_returns_201_and_a_job_id_and_removes_all(self, guide_client: GuideClient) -> None:
        group = self.uploaded(guide_client)
        reply = self.remove(guide_client, group)
        assert reply.status_code == 201
        guide_client.wait(hours=1)
        job = guide_client.job(group, reply.json()["job_id"], "remove-all-rsids")
        assert (job["status"], job["failure_reason"]) == ("Completed", None)
        assert guide_client.saved(group) == 0

    def test_they_can_be_added_back(self, guide_client: GuideClient) -> None:
        group = self.uploaded(guide_client)
        self.remove(guide_client, group)
        guide_client.wait(hours=1)
        guide_client.upload(group, lines(guide_client.ids(30)))
        guide_client.wait(hours=1)
        assert guide_client.saved(group) == 30

    def test_a_removal_while_another_job_runs_is_an_error(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        guide_client.upload(group, lines(guide_client.ids(30)))
        assert self.remove(guide_client, group).status_code == 409


class TestManagingUploadJobs:
    def test_the_list_is_paged_and_the_newest_comes_first(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        for number in range(3):
            guide_client.upload(group, lines(guide_client.ids(3)), name=f"file{number}.csv")
            guide_client.wait(hours=1)
        path = f"{group}/recontacts/jobs/upload-respondents-by-file"
        first = guide_client.call("GET", f"{path}?page_size=2").json()
        second = guide_client.call("GET", f"{path}?page_size=2&start_after={first['next_cursor']}").json()
        names = [job["file_name"] for job in first["data"] + second["data"]]
        assert names == ["file2.csv", "file1.csv", "file0.csv"]
        assert not second.get("next_cursor")

    @pytest.mark.parametrize(("size", "status"), [("1", 200), ("100", 200), ("1000", 200), ("0", 400), ("1001", 400)])
    def test_a_page_holds_1_to_1000(self, guide_client: GuideClient, size: str, status: int) -> None:
        group = guide_client.group()
        reply = guide_client.call("GET", f"{group}/recontacts/jobs/upload-respondents-by-file?page_size={size}")
        assert reply.status_code == status

    def test_the_original_file_can_be_downloaded_under_its_name(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        content = b"\xef\xbb\xbf" + lines(guide_client.ids(3))
        job_id = guide_client.upload(group, content, name="wave 1 (final).csv").json()["job_id"]
        reply = guide_client.call("GET", f"{group}/recontacts/jobs/upload-respondents-by-file/{job_id}/download")
        assert reply.content == content
        assert "wave_1__final_.csv" in reply.headers["content-disposition"]


class TestTroubleshooting:
    def seconds(self, guide_client: GuideClient, group: str, job_id: str, kind: str) -> float:
        for minute in range(60):
            if guide_client.job(group, job_id, kind)["status"] != "Processing":
                return minute * 60
            guide_client.wait(minutes=1)
        raise AssertionError("the job never ended")

    def test_10_000_ids_take_10_to_15_minutes_to_store_and_3_to_5_to_remove(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        content = lines([synthetic_id("many", number) for number in range(10_000)])
        stored = guide_client.upload(group, content).json()["job_id"]
        assert 600 <= self.seconds(guide_client, group, stored, "upload-respondents-by-file") <= 960
        guide_client.wait(minutes=1)
        removed = guide_client.call("POST", f"{group}/recontacts/jobs/remove-all-rsids").json()["job_id"]
        assert 180 <= self.seconds(guide_client, group, removed, "remove-all-rsids") <= 360

    def test_404_for_a_target_group_that_does_not_exist(self, guide_client: GuideClient) -> None:
        missing = f"{guide_client.group()[:-26]}01JX2X0N5RTR012AYDTA83QWTW"
        assert guide_client.call("GET", f"{missing}/recontacts/overview").status_code == 404

    def test_401_for_a_missing_or_invalid_token(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        reply = guide_client.call("GET", f"{group}/recontacts/overview", headers={"Authorization": "Bearer nonsense"})
        assert reply.status_code == 401

    def test_403_for_another_account(self, guide_client: GuideClient) -> None:
        assert guide_client.call("GET", "/v1/demand/accounts/999/projects").status_code == 403

    def test_415_for_what_is_not_multipart(self, guide_client: GuideClient) -> None:
        group = guide_client.group()
        path = f"{group}/recontacts/jobs/upload-respondents-by-file?entity_type=RSID"
        for content_type in ("text/csv", "multipart/form-data"):
            reply = guide_client.call("POST", path, content=b"x\n", headers={"Content-Type": content_type})
            assert reply.status_code == 415

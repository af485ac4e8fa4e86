"""The recontact guide, sentence by sentence, asked of the sandbox by a stranger's client."""

from __future__ import annotations


def test_a_wave_runs_from_draft_to_closed_as_the_guide_tells_it(sandbox, stranger, good_ids):
    group = stranger.group(completes_goal=50)
    lines = ["RSID", *good_ids[:500], "not an id,second column", ""]
    job = stranger.stored(group, lines)
    told = stranger.get(job).json()
    assert told["status"] == "Completed"
    assert told["partial_success_reason"] == {
        "description": "Upload partially successful. "
        "500 respondent IDs uploaded successfully, 3 failed (invalid or empty)."
    }
    assert list(told) == [
        "job_id",
        "created_at",
        "completed_at",
        "status",
        "created_by",
        "failure_reason",
        "partial_success_reason",
        "job_trace_id",
    ]
    assert stranger.saved(group) == 500
    run = stranger.launched(group)
    sandbox.advance(3 * 86_400)
    stranger.log_in()  # a token lives 24 hours
    overview = stranger.get(f"{group}/overview").json()
    assert overview["progress"]["current_completes"] == 50
    assert overview["status"] == "completed"
    performance = stranger.get(f"{group}/performance").json()
    assert performance["completes"] == 50
    assert performance["entrants"] > 50
    assert stranger.get(run).json()["status"] == "completed"
    removal = stranger.post(f"{group}/recontacts/jobs/remove-all-rsids")
    assert removal.status_code == 201
    sandbox.advance(300)
    job = stranger.get(f"{group}/recontacts/jobs/remove-all-rsids/{removal.json()['job_id']}").json()
    assert job["status"] == "Completed"
    assert "partial_success_reason" not in job
    assert stranger.saved(group) == 0

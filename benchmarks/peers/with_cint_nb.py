"""One recontact wave with cint_nb.

Usage: with_cint_nb.py FILE PROJECT_ID START END.
"""

import sys

import cint_nb as cint

file, project, start, end = sys.argv[1:]

# --- the draft
survey = "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]"
plan = cint.TargetGroupPlan.recontact(
    business_unit_id=1234,
    project_manager_id="b551326b-ac9d-4d32-8823-4f025787dab9",
    cost_per_interview="2.50 EUR",
    expected_length_of_interview_minutes=5,
    expected_incidence_rate=0.8,
    start_at=start,
    end_at=end,
    live_url=survey,
    test_url=survey,
    locale="ger_de",
    completes_goal=500,
)

# --- the steps
people = cint.read_respondents(file, entity_type="RSID")
with cint.connect() as client:
    wave = client.wave("Tracker Q4, wave 2", project=project, respondents=people, plan=plan)
    print("target group", wave.create().target_group_id, flush=True)
    print(wave.upload().partial_message or "every id was saved")
    if len(wave.outcome.resubmittable) and not wave.resubmitted_count:
        wave.resubmit()
    wave.outcome.to_rejects("rejected.csv")
    wave.launch(budget="1400 EUR")
    counts = wave.outcome.counts
    print(f"{wave.status()['state'].item()}: {counts['saved']} saved, {counts['rejected']} rejected")

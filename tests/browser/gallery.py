"""A notebook that shows every panel in each of its states."""

from __future__ import annotations

from tests.support.plans import plan_cell

SETUP = """
import pandas as pd
import cint_nb as cint
from cint_nb.domain.findings import Finding, Findings, Severity
from cint_nb.domain.ids import synthetic_id
from cint_nb.domain.jobs import JobHandle, JobKind, JobSnapshot, JobState
handle = JobHandle(kind=JobKind.UPLOAD, base_url="https://x.invalid/v1", account_id=1, job_id="J", id_count=10_000)
def look(state="running", **fields):
    return JobSnapshot(handle=handle, state=JobState(state), id_count=10_000, **fields)
"""
RUNNING = """
running = cint.JobProgress(title="Upload · Tracker Q4, wave 2", mode="live")
running.update(look(saved_count=4_310, saved_count_before=0, fraction=(0.35, 0.52), elapsed_seconds=310,
                    seconds_left=(300, 590), polls=7, next_poll_seconds=12))
running
"""
ENDS = """
from ipywidgets import VBox
measured, done, part, failed = (cint.JobProgress(mode=m) for m in ("replay", "sandbox", "sandbox", "live"))
measured.update(look(saved_count=4_310, saved_count_before=0, fraction=(0.43, 0.43), is_measured=True,
                     elapsed_seconds=310))
done.update(look("done", saved_count=10_000, saved_count_before=0, elapsed_seconds=725, polls=47))
part.update(look("partial", saved_count=9_912, saved_count_before=0, elapsed_seconds=725, polls=47,
                 partial_message="Upload partially successful. 9912 saved, 88 failed (invalid or empty)."))
failed.update(look("failed", fraction=(0.1, 0.2), elapsed_seconds=3, failure_code="JobExecutionStartMessageFailed",
                   failure_message="The job could not be started.", trace_id="5bd6b7d5"))
VBox([measured, done, part, failed])
"""
PICKER = """
ids = [synthetic_id("gallery", number) for number in range(200)]
rows = ["RSID", *ids, *ids[:9], "", "", "not an id", "someone@example.com", ids[3].replace("-", "")]
open("wave1.csv", "w").write("\\n".join(rows))
cint.FilePicker().choose("wave1.csv", entity_type="RID")
"""
OTHERWISE = """
ragged = [f"no, never,{each}" if n % 9 == 4 else f"yes,{each}" for n, each in enumerate(ids)]
open("ragged.csv", "w", encoding="cp1252").write("\\n".join(["Größe,RSID", *ragged]))
otherwise = cint.FilePicker(title="Read otherwise").choose("ragged.csv", entity_type="RSID")
otherwise.other_button.value = True
otherwise
"""
TABLE = """
def row(number, state, completes, **more):
    return {"name": f"Tracker Q4, wave {number}", "state": state, "goal": 1200, "completes": completes,
            "filled": completes / 1200, "trend": [completes * share for share in (0, .2, .25, .6, .9, 1)],
            "saved": 9912, "entrants": 2 * completes, "conversion_rate": .42, "drop_off_rate": .08,
            "screenouts": completes // 3, "cost": 2.7 * completes, "cost_per_complete": 2.7, "price_cap": 2.74,
            "currency": "EUR", "warnings": more.get("warnings")}
states = ["live", "paused", "draft", "scheduled", "completed"]
frame = pd.DataFrame([row(n, states[n % 5], 97 * n % 1200) for n in range(1, 201)])
frame.loc[2, "warnings"] = "goal exceeds saved IDs: 1,200 of 1,100; ends soon: in 14 h, 909 completes short"
frame.loc[0, "warnings"] = "paused by the marketplace: no completes in several days"
table = cint.StatusTable(frame)
fresh = frame.copy()
fresh.loc[0, "completes"] += 12
table.update(fresh)
table
"""
FINDINGS = """
cint.FindingsTable(Findings.of([
  Finding("goal-above-ids", Severity.BLOCK, "The goal is above the ids that can be uploaded.",
          "goal 12,000, usable 9,912", "lower the goal to 9,912 or fewer", "recontact guide, step 1"),
  Finding("same-project", Severity.WARN, "Project exclusion is on.", "exclusion.enabled is true", "set it to false",
          "recontact guide, step 1"),
  Finding("profiling-left-out", Severity.NOTE, "No profiling is given, which suits a recontact.")]))
"""
PLOTS = """
from IPython.display import display
counts = [0, 90, 160, 300, 330, 410]
rows = [{"timestamp": f"2026-09-0{d}T08:00:00Z", "count": n} for d, n in enumerate(counts, 2)]
seen = cint.frames.completes_frame(rows)
display(cint.plots.plot_completes(seen, goal=600, end_at="2026-09-13T08:00:00Z", saved_count=9_612, entrants=820))
display(cint.plots.plot_outcomes({"saved": 9_612, "duplicate": 150, "malformed": 80, "blank": 70, "rejected": 88}))
steps = pd.DataFrame({"stage": ["saved", "entrants", "completes"], "people": [9612, 1020, 431]})
why = pd.DataFrame({"label": ["Terminate", "Quota full", "Drop"], "count": [310, 90, 60]})
display(cint.plots.plot_funnel(steps, why))
"""
CARDS = """
display(Findings.of([Finding("goal-above-ids", Severity.BLOCK, "The goal is above the ids that can be uploaded.",
                             "goal 12,000, usable 9,912", "lower the goal to 9,912 or fewer")]))
display(look("partial", saved_count=9_912, saved_count_before=0, elapsed_seconds=725, polls=47))
display(people, plan)
try:
    cint.StatusTable(5)
except cint.CintError as error:
    display(error)
"""
WAVE = (
    """
client = cint.connect()
people = cint.read_respondents(cint.sandbox.write_sample("sample.csv", lines=400), entity_type="RSID")
"""
    + plan_cell(start="days=1")
    + """
wave = client.wave("Wave of the gallery", project="Browser tests", respondents=people, plan=plan)
wave
"""
)
CHANGED = """
changed = client.wave("Wave that somebody changed", project="Browser tests", respondents=people, plan=plan)
changed.create()
client.sandbox.inject("field-edited:expected_incidence_rate", "now")
cint.WaveView(changed)
"""
HISTORY = """
from datetime import UTC, datetime, timedelta
opened = datetime(2026, 3, 2, 8, tzinfo=UTC)
def visits(wave, codes):
    entered = opened + timedelta(days=90 * (wave - 1), minutes=5)
    return pd.DataFrame([{"RSID": ids[n], "RID": synthetic_id(f"visit {wave}", n), "Target Group ID": f"group {wave}",
                          "Entry Date (UTC)": f"{entered:%Y-%m-%d %H:%M:%S}", "Marketplace Status": "3",
                          "Client Status": str(code)} for n, code in enumerate(codes)])
study = cint.History.open("brand-tracker")
for number, codes, why, listed in ((1, [10] * 150 + [20] * 30, "goal", None), (2, [10] * 92 + [30] * 9, "end", 150),
                                   (3, [10] * 41 + [20] * 4, "goal", 92)):
    start = opened + timedelta(days=90 * (number - 1))
    study.add_report(visits(number, codes), name=f"Brand tracker, wave {number}", opened=start, closed_by=why,
                     closed=start + timedelta(days=10), as_of=start + timedelta(days=40), goal=150,
                     listed=listed and cint.read_respondents(ids[:listed], entity_type="RSID"))
cint.HistoryView(study, now=opened + timedelta(days=330))
"""
GALLERY = (SETUP, RUNNING, ENDS, PICKER, OTHERWISE, TABLE, FINDINGS, WAVE, CHANGED, HISTORY, PLOTS, CARDS)

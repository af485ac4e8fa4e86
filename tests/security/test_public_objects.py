"""Every public object, used in a whole wave: what it says of itself holds no secret and no respondent id."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import cint_nb
from cint_nb.domain.errors import CintError
from cint_nb.domain.ids import mask_id
from cint_nb.domain.models import TargetGroupRef
from cint_nb.domain.plan import AllocationFormat, TargetGroupPlan
from cint_nb.panels.wave_view.widget import WaveView
from cint_nb.study.files.respondents import Respondents, read_respondents
from cint_nb.study.outcome.crosswalk import Crosswalk
from cint_nb.study.outcome.visit_reports import read_report
from cint_nb.wave.client import Client
from cint_nb.wave.journal.journal import Journal, default_path
from cint_nb.wave.wave import Wave
from tests.security.reachable_objects import reachable, said_by
from tests.support.canaries import SECRET, TOKEN, files_with_secrets, holds_respondent, secrets_in
from tests.support.servers import Listener, raw_response
from tests.support.waiting import wait_for
from tests.support.widgets import uploaded


@pytest.fixture
def wave(make_wave: Callable[..., Wave], client: Client) -> Wave:
    """Run a wave until people are in the field."""
    wave = make_wave()
    wave.create()
    wave.upload()
    wave.resubmit()
    wave.launch(budget="900 EUR")
    client.pass_time(days=3)
    return wave


@pytest.fixture
def objects(wave: Wave, client: Client, people: Respondents, tmp_path: Path) -> dict[str, object]:
    """Hold an instance of every public class, each as it is after use."""
    picker = cint_nb.FilePicker(tmp_path).choose("people.csv", entity_type="RSID")
    other = cint_nb.FilePicker(tmp_path)
    other.upload.value = uploaded("people.csv", (tmp_path / "people.csv").read_bytes())
    wait_for(lambda: other.file_summary is not None)
    group = wave.target_group
    assert group is not None
    job = client.recontacts.job(group, client.recontacts.jobs(group)[0].job_id)
    progress = cint_nb.JobProgress(job)
    snapshot = client.aio.run(job.refresh())
    progress.update(snapshot)
    client.recontacts.upload(group, people)
    with pytest.raises(CintError) as caught:  # one upload runs already
        client.recontacts.upload(group, people)
    visits = pd.DataFrame({"RSID": people.ids[:9], "RID": people.ids[9:18], "Client Status": ["10"] * 9})
    report = read_report(visits, rsid="RSID")
    history = cint_nb.History.open(tmp_path / "study")
    added = history.add(wave)
    return {
        "AllocationFormat": next(iter(AllocationFormat)),
        "CintError": caught.value,
        "Crosswalk": Crosswalk.from_frame(visits),
        "History": history,
        "HistoryView": cint_nb.HistoryView(history),
        "history": [
            added,
            added.frame(),
            history.parts(),
            history.check(),
            history.cohort(completed=1),
            history.long().df(),
        ],
        "EntityType": people.entity_type,
        "FilePicker": picker,
        "FilePicker, from the browser": other,
        "Findings": wave.check("launch", ask=True),
        "FindingsTable": cint_nb.FindingsTable(wave.check("launch", ask=True)),
        "Job": job,
        "JobProgress": progress,
        "JobSnapshot": snapshot,
        "Money": cint_nb.Money.parse("900 EUR"),
        "Respondents": people,
        "Client": client,
        "StatusTable": cint_nb.StatusTable(wave.status()),
        "Profile": cint_nb.Profile("gender", {"male": 50, "female": 50}),
        "TargetGroupPlan": wave.plan,
        "TargetGroupRef": group,
        "VisitReport": report,
        "Wave": wave,
        "WaveView": WaveView(wave),
        "Outcome": wave.outcome,
        "frames": [
            *(people.summary(), people.lines(), wave.outcome.frame(), wave.status()),
            *(wave.withdraw(people.sample(2)), wave.files(), wave.test_links(), wave.feasibility()),
        ],
        "entries": client.aio.journal.entries(),
    }


def test_every_public_class_is_looked_at(objects: dict[str, object]) -> None:
    classes = {name for name in cint_nb.__all__ if isinstance(getattr(cint_nb, name), type)}
    assert classes <= set(objects)
    assert all(isinstance(objects[name], getattr(cint_nb, name)) for name in classes)


def test_nothing_a_public_object_says_or_holds_is_a_secret_or_names_a_person(
    objects: dict[str, object], people: Respondents
) -> None:
    looked, texts = 0, []
    for one in reachable(*objects.values()):
        if isinstance(one, (str, bytes)):
            texts.append(one)
        elif type(one).__module__.startswith(("cint_nb", "pandas", "ipywidgets")):
            looked += 1
            said = said_by(one)
            assert secrets_in(said + repr(getattr(one, "__dict__", ""))) == [], type(one)
            # A frame that is held inside shows what it holds; those that are handed out are looked at masked.
            if not type(one).__module__.startswith("pandas") and not isinstance(one, (tuple, pd.DataFrame)):
                assert not holds_respondent(said), type(one)
    assert looked > 100
    assert [text for text in texts if secrets_in(text)] == []
    assert holds_respondent(repr(texts)), "the search reaches what the objects keep to themselves"


def test_a_live_client_holds_its_token_in_a_masked_type_and_nowhere_else(
    go_live: Callable[..., Client], listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CINT_NB_TOKEN")
    server = listen(lambda path, _: None if "oauth" in path else raw_response(b'{"locales": []}'))
    client = go_live(server)
    client.definitions.locales()
    assert TOKEN.encode() in server.heard
    held = list(reachable(client, *vars(cint_nb).values()))
    assert len(held) > 200
    for one in held:
        if isinstance(one, (str, bytes)):
            assert secrets_in(one) == []
        else:
            assert secrets_in(said_by(one) + repr(getattr(one, "__dict__", ""))) == [], type(one)
    token, secret = client.http._tokens._token, client.http.settings.client_secret
    assert token is not None
    assert token.secret.get_secret_value() == TOKEN
    assert secret is not None
    assert secret.get_secret_value() == SECRET


def itself(one: object) -> object:
    return one


def test_public_objects_are_copied_and_pickled_without_a_secret_or_not_at_all(objects: dict[str, object]) -> None:
    pickled = 0
    for name, one in objects.items():
        for twin in (itself, copy.copy):
            try:
                outcome: str | bytes = pickle.dumps(twin(one))
                pickled += 1
            except (TypeError, AttributeError, NotImplementedError, pickle.PicklingError, CintError) as refusal:
                outcome = str(refusal)
            assert secrets_in(outcome) == [], name
    assert pickled >= 2 * len(("CintError", "Money", "Respondents", "TargetGroupPlan", "frames"))


def test_frames_show_whole_ids_only_with_reveal(wave: Wave, people: Respondents) -> None:
    one = people.ids[0]
    for frame in (people.lines, wave.outcome.frame):
        assert one in frame(reveal=True).to_string().lower()
        assert not holds_respondent(frame().to_string() + frame().to_html() + frame().to_csv())
        assert mask_id(one) in frame().to_string()


def test_files_hold_ids_only_where_the_user_named_them(
    client: Client,
    make_wave: Callable[..., Wave],
    make_plan: Callable[..., TargetGroupPlan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    people: Respondents,
) -> None:
    """The journal on disk, every temporary file, every cache: searched after a whole wave."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(client.aio, "_journal", Journal(default_path()))
    named = people.to_file(tmp_path / f"answers of {people.ids[0]}.csv")
    again = read_respondents(named, entity_type="RSID")
    wave = make_wave(respondents=again)
    wave.create()
    wave.upload()
    wave.outcome.frame()
    wave.launch(budget="900 EUR")
    assert client.aio.journal.path is not None
    files = [path for path in (*client.aio.journal.path.parent.rglob("*"), *temporary.rglob("*")) if path.is_file()]
    assert client.aio.journal.path in files
    for path in files:
        content = path.read_bytes()
        assert not holds_respondent(content), path.name
        assert not any(bytes.fromhex(one.replace("-", "")) in content for one in people.ids), path.name
    assert files_with_secrets(tmp_path) == []
    assert list(temporary.iterdir()) == []
    assert holds_respondent(named.read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([named.name, "people.csv", "temporary"])


def shown_anywhere(panel: cint_nb.FilePicker) -> str:
    """Return all that a panel says, and the state of each of its widgets, which a notebook may save."""
    widgets, said = [panel], [panel.to_text(), panel.to_static_html(), panel.error, repr(panel._source)]
    for one in widgets:
        widgets.extend(getattr(one, "children", ()))
        said.append(said_by(one))
    return "\n".join(said)


@pytest.mark.parametrize("named", ["file", "folder", "root", "spoilt file", "empty folder", "file from the browser"])
def test_an_id_in_a_name_is_shown_by_no_file_picker(tmp_path: Path, people: Respondents, named: str) -> None:
    one = people.ids[0]
    root = tmp_path / one if named == "root" else tmp_path
    folder = root / one if "folder" in named else root
    folder.mkdir(exist_ok=True, parents=True)
    name = f"{one}.csv" if "file" in named else "some.csv"
    if named != "empty folder":
        people.to_file(folder / name)
    picker = cint_nb.FilePicker(root)
    picker._list_folder(folder)
    if named == "spoilt file":
        (folder / name).write_bytes(b"\x00")
        with pytest.raises(CintError):
            picker.choose(name, entity_type="RSID")
    elif named == "file from the browser":
        picker.upload.value = uploaded(name, (folder / name).read_bytes())
        picker.entity.value = "RSID"
        wait_for(lambda: picker.value is not None)
    elif named != "empty folder":
        picker.choose((folder / name).relative_to(root), entity_type="RSID")
    assert not holds_respondent(shown_anywhere(picker))
    if named == "folder":
        assert one in picker.to_code(), "the line that runs is given to who asks for it"
        assert "picker.to_code()" in picker._code.value


def test_an_id_that_names_a_column_is_shown_by_nothing_that_was_read(people: Respondents) -> None:
    one = people.ids[0]
    for source in (pd.Series(people.ids, name=one), pd.DataFrame({one: people.ids, "visit": range(len(people.ids))})):
        read = read_respondents(source, entity_type="RSID", column=None if source.ndim == 1 else one)
        assert not holds_respondent(repr(read) + repr(read.source_info) + read.evidence().to_string())


@pytest.mark.parametrize("before", range(0, 60, 7))
def test_no_part_of_an_id_is_left_where_a_long_name_is_cut(people: Respondents, before: int) -> None:
    one = people.ids[0]
    name = f"{'x' * before} {one}"
    frame = pd.DataFrame({name: people.ids[:9], "b": people.ids[9:18]})
    for refused in (
        lambda: read_respondents(frame, entity_type="RSID"),
        lambda: read_respondents(frame, entity_type="RSID", column=f"no {name}"),
        lambda: Crosswalk.from_frame(frame),
        lambda: Crosswalk.from_frame(frame, rsid=f"no {name}"),
        lambda: read_report(frame, rsid=f"no {name}"),
    ):
        with pytest.raises(CintError) as caught:
            refused()
        assert one[:8] not in str(caught.value) + repr(caught.value)


def test_nobody_is_named_in_an_error_or_a_log(
    wave: Wave,
    client: Client,
    people: Respondents,
    make_wave: Callable[..., Wave],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """Errors that are about single lines and ids, and the exchange quoting ids in its own words."""
    pairs = "\n".join(f"{one},{other}" for one, other in zip(people.ids[:5], people.ids[5:10], strict=True))
    odd, headless = tmp_path / "odd.csv", tmp_path / "headless.csv"
    odd.write_text(f"RSID,RID\n{pairs}\n")
    headless.write_text(f"{pairs}\n")  # pandas takes its first ids for names of columns
    errors: list[CintError] = []
    own = wave.target_group
    assert own is not None
    group = TargetGroupRef(project_id=people.ids[0], target_group_id=people.ids[1])
    client.recontacts.upload(own, people)
    for attempt in (
        lambda: read_respondents(odd, entity_type="RSID", column=people.ids[0]),
        lambda: read_respondents(tmp_path / f"{people.ids[0]}.csv", entity_type="RSID"),
        lambda: read_respondents([], entity_type="RSID").to_upload(),
        lambda: read_respondents(pd.read_csv(headless), entity_type="RSID"),
        lambda: read_respondents(pd.read_csv(headless), entity_type="RSID", column="RSID"),
        lambda: Crosswalk.from_frame(pd.read_csv(headless)),
        lambda: read_report(pd.read_csv(headless)),
        lambda: make_wave(name="Tracker, wave 3").outcome,
        lambda: client.recontacts.upload(own, people),
        lambda: client.target_groups.details(group),
    ):
        with pytest.raises(CintError) as caught:
            attempt()
        errors.append(caught.value)
    said = "\n".join(str(error) + repr(error) + repr(error.evidence) for error in errors)
    assert not holds_respondent(said)
    assert not holds_respondent(caplog.text)

"""Every API operation as data: URL, method, description and idempotency.

*safe* changes nothing. *keyed* carries an idempotency key, the same in every retry. *conditional* names the version it
changes, in If-Match. *idempotent* sets a value outright, so that doing it twice is the same as once. *non-idempotent*
has no protection: after a lost reply the client checks the exchange before it sends again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cint_nb.api.reply_shapes import REPLY_SHAPES
from cint_nb.domain.jobs import JobKind
from cint_nb.wire.calls import Call
from cint_nb.wire.retry_policy import Idempotency

_ACCOUNT = "/demand/accounts/{account_id}"
_PROJECT = _ACCOUNT + "/projects/{project_id}"
_GROUPS = _PROJECT + "/target-groups"
_GROUP = _GROUPS + "/{target_group_id}"
_RECONTACT_JOBS = _GROUP + "/recontacts/jobs"
_EXCLUSION_JOBS = _GROUP + "/exclusions/jobs"
_RUN_JOBS = _GROUP + "/fielding-run-jobs"
_RUN = _GROUP + "/fielding-runs/{fielding_run_id}"
_BATCH = _PROJECT + "/batch-jobs/{verb}-fielding-runs-by-target-group-id"


@dataclass(frozen=True)
class Operation:
    """One operation: its name, what it does in a few words, its URL path, and its idempotency.

    The name is that of the client's method that sends it. `_status` marks what `job.poll()` sends for the job that the
    method started; where one method sends several requests, another ending tells them apart.
    """

    name: str
    description: str
    method: str
    template: str
    idempotency: Idempotency

    def make_call(self, path: Mapping[str, str | int | None] | None = None, **parts: Any) -> Call:
        """Build the request; `parts` are further fields of `Call`, such as `json`, `query` or `if_match`."""
        return Call(
            operation=self.description,
            method=self.method,
            template=self.template,
            idempotency=self.idempotency,
            path=dict(path or {}),
            reply_shape=REPLY_SHAPES[self.name],
            **parts,
        )


def _safe(name: str, words: str, template: str, method: str = "GET") -> Operation:
    return Operation(name, words, method, template, Idempotency.SAFE)


def _keyed(name: str, words: str, template: str) -> Operation:
    return Operation(name, words, "POST", template, Idempotency.KEYED)


def _conditional(name: str, words: str, template: str, method: str = "POST") -> Operation:
    return Operation(name, words, method, template, Idempotency.CONDITIONAL)


def _idempotent(name: str, words: str, template: str) -> Operation:
    return Operation(name, words, "PUT", template, Idempotency.IDEMPOTENT)


def _non_idempotent(name: str, words: str, template: str) -> Operation:
    return Operation(name, words, "POST", template, Idempotency.NON_IDEMPOTENT)


# Accounts and definitions
LIST_ACCOUNTS = _safe("definitions.accounts", "list the accounts", "/accounts")
LIST_USERS = _safe("definitions.users", "list the users", "/accounts/{account_id}/users")
LIST_BUSINESS_UNITS = _safe(
    "definitions.business_units", "list the business units", "/accounts/{account_id}/business-units"
)
GET_USER_BUSINESS_UNIT = _safe(
    "definitions.user_business_unit",
    "read the user's business unit",
    "/accounts/{account_id}/users/{user_id}/business-units",
)
LIST_LOCALES = _safe("definitions.locales", "list the locales", "/locales")
LIST_INDUSTRIES = _safe("definitions.industries", "list the industries", "/industries")
LIST_STUDY_TYPES = _safe("definitions.study_types", "list the study types", "/study-types")
LIST_SUPPLIERS = _safe("definitions.suppliers", "list the suppliers", "/suppliers")
LIST_QUESTIONS = _safe("definitions.questions", "list the profiling questions", _ACCOUNT + "/questions-translation")
LIST_TEMPLATES = _safe(
    "definitions.allocation_templates", "list the allocation templates", "/demand/allocation-templates"
)
GET_TEMPLATE = _safe(
    "definitions.allocation_template", "read the allocation template", "/demand/allocation-templates/{template_id}"
)

# Projects
CREATE_PROJECT = _keyed("projects.create", "create the project", _ACCOUNT + "/projects")
LIST_PROJECTS = _safe("projects.list", "list the projects", _ACCOUNT + "/projects")
GET_PROJECT = _safe("projects.get", "read the project", _PROJECT)
PROJECT_OVERVIEW = _safe("projects.overview", "read the project's overview", _PROJECT + "/overview")

# Target groups. The PUTs set values outright and carry no version: the last writer wins.
CREATE_DRAFT = _non_idempotent("target_groups.create_draft", "create the draft target group", _GROUPS)
LIST_GROUPS = _safe("target_groups.list", "list the target groups", _GROUPS)
GET_DRAFT = _safe("target_groups.get", "read the draft target group", _GROUP)
UPDATE_DRAFT = _idempotent("target_groups.update_draft", "update the draft target group", _GROUP)
GET_DETAILS = _safe("target_groups.details", "read the target group's details", _GROUP + "/details")
UPDATE_DETAILS = _idempotent("target_groups.update_details", "update the target group's details", _GROUP + "/details")
GROUP_OVERVIEW = _safe("target_groups.overview", "read the target group's overview", _GROUP + "/overview")
GET_PERFORMANCE = _safe("target_groups.performance", "read the target group's performance", _GROUP + "/performance")
GET_COMPLETES = _safe(
    "target_groups.completes_by_interval",
    "read the completes by interval",
    _GROUP + "/completes-aggregated-by-interval",
)
GET_CHANGELOG = _safe("target_groups.changelog", "read the changelog", _GROUP + "/changelog")
SET_CPI = _idempotent(
    "target_groups.set_cost_per_interview", "set the cost per interview", _GROUP + "/cost-per-interview"
)
SET_FILLING_STRATEGY = _idempotent(
    "target_groups.set_filling_strategy", "set the filling strategy", _GROUP + "/filling-strategy"
)
SET_GOAL = _idempotent(
    "target_groups.set_completes_goal", "set the completes goal", _GROUP + "/profiles/completes-goal"
)
FEASIBILITY_OF_DRAFT = _safe(
    "target_groups.feasibility", "forecast a draft", _ACCOUNT + "/target-groups/calculate-feasibility", "POST"
)
FEASIBILITY_OF_GROUP = _safe(
    "target_groups.group_feasibility", "forecast the target group", _GROUP + "/calculate-feasibility", "POST"
)
GET_ASSISTANT = _safe(
    "target_groups.fielding_assistant", "read the fielding assistant", _GROUP + "/fielding-assistant-assignment"
)
GET_ALLOCATIONS = _safe(
    "target_groups.allocation_specification", "read the allocations", _GROUP + "/allocation-specification"
)

# Profiles
VALIDATE_PROFILES = _safe("profiles.validate", "validate the profiles", _ACCOUNT + "/profiles/validate", "POST")
LIST_PROFILES = _safe("profiles.list", "list the profiles of the target group", _GROUP + "/profiles")
REPLACE_PROFILES = _non_idempotent(
    "profiles.replace", "replace the profiles of the target group", _GROUP + "/profiles/manage-profiles"
)

# Recontacts
UPLOAD_RECONTACTS = _non_idempotent(
    "recontacts.upload", "upload recontacts", _RECONTACT_JOBS + "/upload-respondents-by-file"
)
LIST_UPLOADS = _safe("recontacts.jobs", "list the upload jobs", _RECONTACT_JOBS + "/upload-respondents-by-file")
GET_UPLOAD = _safe(
    "recontacts.upload_status", "read the upload job", _RECONTACT_JOBS + "/upload-respondents-by-file/{job_id}"
)
DOWNLOAD_UPLOAD = _safe(
    "recontacts.download",
    "download the uploaded file",
    _RECONTACT_JOBS + "/upload-respondents-by-file/{job_id}/download",
)
UPLOAD_RSIDS = _non_idempotent(
    "recontacts.upload_rsids", "upload recontacts at the older endpoint", _RECONTACT_JOBS + "/upload-rsids-by-file"
)
GET_UPLOAD_RSIDS = _safe(
    "recontacts.upload_rsids_status",
    "read the upload job at the older endpoint",
    _RECONTACT_JOBS + "/upload-rsids-by-file/{job_id}",
)
REMOVE_RECONTACTS = _non_idempotent(
    "recontacts.remove_all", "remove all recontacts", _RECONTACT_JOBS + "/remove-all-rsids"
)
GET_REMOVAL = _safe(
    "recontacts.remove_all_status", "read the removal job", _RECONTACT_JOBS + "/remove-all-rsids/{job_id}"
)
RECONTACT_OVERVIEW = _safe("recontacts.saved_count", "count the saved recontacts", _GROUP + "/recontacts/overview")
LIST_RECONTACT_RSIDS = _safe("recontacts.saved_ids", "list the saved recontacts", _GROUP + "/recontacts/rsids")

# Exclusions
UPLOAD_EXCLUSIONS = _non_idempotent(
    "exclusions.upload", "upload exclusions", _EXCLUSION_JOBS + "/upload-respondents-by-file"
)
GET_EXCLUSION_UPLOAD = _safe(
    "exclusions.upload_status", "read the exclusion job", _EXCLUSION_JOBS + "/upload-respondents-by-file/{job_id}"
)
REMOVE_EXCLUSIONS = _non_idempotent(
    "exclusions.remove_all", "remove all exclusions", _EXCLUSION_JOBS + "/remove-all-respondents"
)
GET_EXCLUSION_REMOVAL = _safe(
    "exclusions.remove_all_status",
    "read the exclusion removal job",
    _EXCLUSION_JOBS + "/remove-all-respondents/{job_id}",
)
EXCLUSION_OVERVIEW = _safe("exclusions.overview", "count the exclusions", _GROUP + "/exclusions/overview")
LIST_EXCLUDED_RSIDS = _safe(
    "exclusions.effective_rsids", "list the excluded respondents", _GROUP + "/exclusions/rsid/paginated"
)
EXCLUSION_POLICY = _safe("exclusions.policy", "read the exclusion policy", _GROUP + "/exclusion-policy")
EXCLUSION_POLICIES = _safe("exclusions.policies", "list the exclusion policies", _PROJECT + "/exclusions")
SET_EXCLUSION_POLICIES = _idempotent(
    "exclusions.set_policies", "set the exclusion policies", _PROJECT + "/exclusion-policies"
)
ACTIVITY_EXCLUSIONS = _safe(
    "exclusions.activity", "read the activity exclusions", _GROUP + "/respondent-activity-exclusions"
)
SET_ACTIVITY_EXCLUSIONS = _idempotent(
    "exclusions.set_activity", "set the activity exclusions", _GROUP + "/respondent-activity-exclusions"
)

EXCLUSION_GROUPS = _safe(
    "exclusions.groups",
    "list the exclusion groups of the target group",
    _ACCOUNT + "/target-groups/{target_group_id}/exclusion-groups",
)

# Prices
_UNIT = _ACCOUNT + "/business-units/{business_unit_id}"
PREDICT_PRICE = _safe("prices.predict", "predict the price", _UNIT + "/generate-price-prediction", "POST")
GET_GROUP_PRICE = _safe(
    "prices.target_group", "read the price of the target group", _UNIT + "/target-groups/{target_group_id}/price"
)
GET_RATE_CARD = _safe("prices.rate_card", "read the rate card", _UNIT + "/rate-card")
GET_GROUP_RATE_CARD = _safe(
    "prices.target_group_rate_card", "read the rate card of the target group", _GROUP + "/rate-card"
)

# Fielding
LAUNCH = _keyed("fielding.launch", "launch the target group", _RUN_JOBS + "/launch-from-draft")
GET_LAUNCH = _safe("fielding.launch_status", "read the launch job", _RUN_JOBS + "/launch-from-draft/{job_id}")
SCHEDULE = _keyed("fielding.schedule", "schedule the target group", _RUN_JOBS + "/schedule-from-draft")
GET_SCHEDULE = _safe("fielding.schedule_status", "read the schedule job", _RUN_JOBS + "/schedule-from-draft/{job_id}")
LIST_RUNS = _safe("fielding.run_list", "list the fielding runs", _GROUP + "/fielding-runs")
GET_RUN = _safe("fielding.run", "read the fielding run", _RUN)
UPDATE_RUN = _conditional("fielding.update_run", "update the fielding run", _RUN, "PUT")
LAUNCH_NOW = _conditional("fielding.launch_now", "launch the scheduled run now", _RUN + "/launch-now")
PAUSE = _conditional("fielding.pause", "pause the fielding run", _RUN + "/pause")
RESUME = _conditional("fielding.resume", "resume the fielding run", _RUN + "/resume")
COMPLETE = _conditional("fielding.complete", "complete the fielding run", _RUN + "/complete")
RELAUNCH = _conditional("fielding.relaunch", "relaunch the fielding run", _RUN + "/relaunch")
TRANSITIONS = _safe(
    "fielding.allowed_actions", "ask which actions are allowed", _PROJECT + "/compute-target-group-transitions", "POST"
)

BATCH_ACTIONS = ("launch", "pause", "resume", "complete", "relaunch")
START_BATCH = {
    verb: _keyed(f"fielding.start_batch_{verb}", f"{verb} target groups in a batch", _BATCH.replace("{verb}", verb))
    for verb in BATCH_ACTIONS
}
GET_BATCH = {
    verb: _safe(
        f"fielding.start_batch_{verb}_status",
        f"read the batch job ({verb})",
        _BATCH.replace("{verb}", verb) + "/{job_id}",
    )
    for verb in BATCH_ACTIONS
}

# Reports
GENERATE_REPORT = _non_idempotent("reports.generate", "request the report", _ACCOUNT + "/reports/{report_type}")
LIST_REPORTS = _safe("reports.list", "list the reports", _ACCOUNT + "/reports")
REPORT_STATUS = _safe("reports.status", "read the report's status", _ACCOUNT + "/reports/{report_id}/status")
DOWNLOAD_REPORT = _safe("reports.download", "download the report", _ACCOUNT + "/reports/{report_id}/download")

# Reconciliations. A key is sent with a submission; what it does is not documented, so that it is not relied on.
_RECONCILIATIONS = _ACCOUNT + "/reconciliations"
_RECONCILIATION = _RECONCILIATIONS + "/{request_id}"
SUBMIT_RECONCILIATION = _non_idempotent("reconciliations.submit", "submit the reconciliation", _RECONCILIATIONS)
LIST_RECONCILIATIONS = _safe("reconciliations.list", "list the reconciliations", _RECONCILIATIONS)
GET_RECONCILIATION = _safe("reconciliations.get", "read the reconciliation", _RECONCILIATION)
LIST_RECONCILED_GROUPS = _safe(
    "reconciliations.target_groups", "list the target groups of the reconciliation", _RECONCILIATION + "/target-groups"
)
GET_RECONCILED_GROUP = _safe(
    "reconciliations.target_group",
    "read the reconciliation of the target group",
    _RECONCILIATION + "/target-groups/{target_group_id}",
)
DOWNLOAD_RECONCILIATION = _safe(
    "reconciliations.download", "download a file of the reconciliation", _RECONCILIATION + "/downloads/{download_type}"
)
LIST_ELIGIBLE_GROUPS = _safe(
    "reconciliations.eligible_target_groups",
    "list the target groups that can be reconciled",
    _RECONCILIATIONS + "/eligible-target-groups",
)
LIST_REASON_CODES = _safe(
    "reconciliations.reason_codes", "list the reason codes of reconciliations", _RECONCILIATIONS + "/reason-codes"
)

OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        *(value for value in list(globals().values()) if isinstance(value, Operation)),
        *START_BATCH.values(),
        *GET_BATCH.values(),
    )
}
"""Every operation by its name."""

STATUS_OPERATIONS: Mapping[JobKind, Operation] = {
    JobKind.UPLOAD: GET_UPLOAD,
    JobKind.UPLOAD_RSIDS: GET_UPLOAD_RSIDS,
    JobKind.REMOVAL: GET_REMOVAL,
    JobKind.LAUNCH: GET_LAUNCH,
    JobKind.SCHEDULE: GET_SCHEDULE,
    JobKind.EXCLUSION_UPLOAD: GET_EXCLUSION_UPLOAD,
    JobKind.EXCLUSION_REMOVAL: GET_EXCLUSION_REMOVAL,
    JobKind.REPORT: REPORT_STATUS,
    JobKind.RECONCILIATION: GET_RECONCILIATION,
    **{JobKind(f"batch-{verb}"): operation for verb, operation in GET_BATCH.items()},
}
"""The operation that reads the status of each kind of job."""

SPENDING: Mapping[str, str] = {
    LAUNCH.name: "the draft goes live",
    SCHEDULE.name: "the draft goes live by itself at its start",
    LAUNCH_NOW.name: "people can enter from now on",
    RESUME.name: "people can enter again",
    RELAUNCH.name: "people can enter again",
    UPDATE_RUN.name: "people can enter earlier or longer",
    SET_GOAL.name: "more completes are paid for",
    SET_CPI.name: "each complete may be dearer",
    REPLACE_PROFILES.name: "its goal may be higher, and more completes are paid for",
    UPLOAD_RECONTACTS.name: "with overfill each saved id may complete",
    UPLOAD_RSIDS.name: "with overfill each saved id may complete",
    SUBMIT_RECONCILIATION.name: "a rejected complete is replaced while people can enter, an adjusted one is paid for",
    **{START_BATCH[verb].name: "people can enter these groups" for verb in ("launch", "resume", "relaunch")},
}
"""Every operation that can spend money, by name, and how: `Client` asks for a budget before it is sent."""

"""The request bodies as types: what the schemas of their operations have already checked.

Fields that no code reads are omitted. A JSON integer may arrive as `10.0`, which JSON Schema allows.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict


class Money(TypedDict):
    """An amount, as a decimal text, and its currency."""

    value: str
    currency_code: str
    currency_scale: NotRequired[int | None]


class FieldingPeriod(TypedDict):
    """When fielding starts and ends."""

    start_at: str
    end_at: str


class Pricing(TypedDict):
    """How a complete is priced, and its limits."""

    type: str
    total_budget: NotRequired[Money]
    maximum_cpi: NotRequired[Money]
    minimum_cpi: NotRequired[Money]
    boost_cpi: NotRequired[Money]


class QuotaOverlay(TypedDict):
    """What happens once a quota is full."""

    prevent_overfill: bool
    balance_fill: bool


class FieldingAssistant(TypedDict, total=False):
    """The fielding assistant of a draft."""

    pricing: Pricing
    quota_overlay: QuotaOverlay


class Quota(TypedDict, total=False):
    """How many completes a target may have."""

    name: str
    completes_goal: int
    completes_goal_percentage: float


class Selection(TypedDict):
    """One option of a question."""

    object: Literal["selection"]
    question_id: int
    option: str


class Range(TypedDict):
    """Numbers from the lowest to the highest, both included."""

    object: Literal["range"]
    question_id: int
    min: int
    max: int


class OpenEnded(TypedDict):
    """One of several texts, or any."""

    object: Literal["open_ended"]
    question_id: int
    allow_all_values: bool
    open_ended_values: list[str]


Condition: TypeAlias = Selection | Range | OpenEnded
"""What a person must have answered to a question."""


class Target(TypedDict):
    """One target of a profile."""

    conditions: list[Condition]
    quota: NotRequired[Quota]


class Profile(TypedDict):
    """One profile of a target group."""

    quotas_enabled: bool
    targets: list[Target]
    name: NotRequired[str]
    blended_type: NotRequired[str]
    object: Literal["regular", "blended"]


class Profiling(TypedDict, total=False):
    """The profiling of a target group."""

    profile_adjustment_type: str
    profiles: list[Profile]


class SupplierGroup(TypedDict):
    """A group of suppliers with its share."""

    group_name: str
    min_percentage: int
    max_percentage: int
    suppliers: NotRequired[list[str]]


class OpenExchangeAllocations(TypedDict):
    """Who of the open exchange may supply."""

    blocked_supplier_ids: list[str]
    exchange_min_percentage: int
    exchange_max_percentage: int
    groups: list[SupplierGroup]


class Allocations(TypedDict, total=False):
    """The allocation of a draft: a template, or spelled out."""

    template_id: str
    open_exchange_allocations: OpenExchangeAllocations


class AllocationTemplate(TypedDict):
    """The allocation template of a draft, the other way to name it."""

    id: str
    type: str


class ExclusionList(TypedDict, total=False):
    """Ids that a draft excludes: `RID` means respondent ids here, `CID` Access ids."""

    entity_type: str
    entity_ids: list[str]


class Exclusion(TypedDict, total=False):
    """Whether people who completed another group of the project are excluded, and who else."""

    enabled: bool
    list: list[ExclusionList] | None


class ActivityExclusion(TypedDict):
    """An exclusion of people by their activity elsewhere."""

    type: str
    id: str
    duration: NotRequired[str]


class ActivityExclusions(TypedDict):
    """Exclusions by activity elsewhere; the duration applies to all that have none."""

    duration: NotRequired[str]
    respondent_activity_exclusions: list[ActivityExclusion]


class Draft(TypedDict):
    """A target group draft."""

    name: str
    business_unit_id: str | int
    locale: str
    collects_pii: bool
    project_manager_id: str
    fielding_specification: FieldingPeriod
    completes_goal: int
    expected_length_of_interview_minutes: int
    expected_incidence_rate: float
    fielding_assistant_assignment: FieldingAssistant
    study_type_code: NotRequired[str]
    industry_code: NotRequired[str]
    cost_per_interview: NotRequired[Money]
    client_cost_per_interview_note: NotRequired[Money]
    client_id: NotRequired[int | None]
    exclusion: NotRequired[Exclusion]
    respondent_activity_exclusions: NotRequired[list[ActivityExclusion]]
    industry_lockout_code: NotRequired[str]
    live_url: NotRequired[str | None]
    test_url: NotRequired[str | None]
    profiling: NotRequired[Profiling | None]
    allocations: NotRequired[Allocations]
    allocation_template: NotRequired[AllocationTemplate]
    filling_strategy: NotRequired[str]
    target_group_customer_reference_number: NotRequired[str | None]


class DetailsUpdate(TypedDict):
    """A change to the details of a launched target group."""

    name: str
    project_manager_id: str
    expected_length_of_interview_minutes: int
    expected_incidence_rate: float
    industry_lockout_code: str
    live_url: str
    test_url: str
    target_group_customer_reference_number: NotRequired[str | None]
    client_cost_per_interview_note: NotRequired[Money]


class ProjectDraft(TypedDict):
    """A new project."""

    name: str
    project_manager_id: str
    project_customer_reference_number: NotRequired[str]


class CostChange(TypedDict):
    """A new price of a complete."""

    target_group_cpi: Money


class Strategy(TypedDict):
    """What counts toward the goal."""

    filling_strategy: str


class SpelledProfiling(TypedDict):
    """Profiling that says its profiles."""

    profile_adjustment_type: str
    profiles: list[Profile]


class ProfilesToValidate(TypedDict):
    """Profiles to validate for a locale and a goal."""

    locale: str
    completes_goal: int
    profiling: SpelledProfiling


class ProfilesToReplace(TypedDict):
    """All profiles that a target group is to have, and its goal."""

    completes_goal: int
    profiling: SpelledProfiling


class QuotaGoal(TypedDict):
    """A new goal of one quota."""

    completes_goal: int


class TargetGoal(TypedDict):
    """A new goal of the quota of one target."""

    id: str
    quota: QuotaGoal


class ProfileGoals(TypedDict):
    """New goals of the quotas of one profile."""

    profile_id: str
    targets: list[TargetGoal]


class GoalChange(TypedDict, total=False):
    """A new completes goal, new goals of quotas, or both."""

    completes_goal: int | None
    profiles: list[ProfileGoals] | None


class FeasibilityDraft(TypedDict):
    """A target group to estimate before it exists."""

    business_unit_id: int
    locale: str
    expected_incidence_rate: float
    expected_length_of_interview_minutes: int
    completes_goal: int
    fielding_specification: FieldingPeriod
    cost_per_interview: NotRequired[Money]
    profiling: NotRequired[Profiling | None]


class FeasibilityChange(TypedDict, total=False):
    """What to change in a target group before it is estimated."""

    incidence_rate: float
    length_of_interview: int
    completes_goal: int
    start_at: str
    end_at: str
    cost_per_interview: Money
    profiling: Profiling | None


class TransitionFilters(TypedDict, total=False):
    """Filters of target groups by state and locale."""

    status: list[str]
    country: list[str]
    language: list[str]


class TransitionsQuery(TypedDict, total=False):
    """Which target groups a query is about."""

    search_string: str
    filters: TransitionFilters
    included_target_group_ids: list[str]
    excluded_target_group_ids: list[str]


class Launch(TypedDict):
    """When a run that starts now ends."""

    end_fielding_at: str


class Schedule(Launch):
    """When a run starts and ends."""

    start_fielding_at: str


class Batch(TypedDict):
    """The target groups of a batch job."""

    target_group_ids: list[str]


class PolicyChange(TypedDict):
    """Whether one target group excludes the project's completes."""

    target_group_id: str
    project_exclusion_enabled: bool


class NewExclusionGroup(TypedDict):
    """An exclusion group to create."""

    tag: str
    description: str


class TargetGroupIds(TypedDict, total=False):
    """Target groups to add to an exclusion group, or to remove from it."""

    data: list[str]


class PriceConfig(TypedDict):
    """What a price prediction assumes; which fields it needs depends on the pricing model."""

    type: Literal["dynamic", "rate_card"]
    user_requested_cpi: NotRequired[Money]
    country_code: NotRequired[str]
    expected_incidence_rate: NotRequired[float]
    expected_length_of_interview_minutes: NotRequired[int]
    maximum_cpi: NotRequired[Money]
    cpi_boost: NotRequired[Money]


class PriceQuery(TypedDict):
    """A question for a price."""

    config: PriceConfig


class ReportOptions(TypedDict, total=False):
    """What a report shows besides."""

    include_respondent_answers: bool | None


class ReportQuery(TypedDict, total=False):
    """What a report covers."""

    filter: Literal["business_unit", "target_group", "project"] | None
    filter_ids: list[str]
    start_date: str
    end_date: str
    report_options: ReportOptions | None

"""What a recording may hold: every other field, column and header is emptied before it is written."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KEPT_HEADERS = ("content-type", "etag", "location", "retry-after", "content-disposition", "traceparent", "sunset")

KEPT_FIELDS = _words(
    """
    account_id aggregated_completes_intervals allocation_template allocations allow_for_current_target_group
    allow_for_other_target_groups average_cost_per_interview balance_fill blocked_supplier_ids boost_cpi
    business_unit_id business_units change_type changelog changes code collects_pii completed_at completes
    completes_cost completes_goal completes_goal_percentage conditions conversion_rate cost_per_interview count
    country country_code cpi_boost create_date created_at created_by created_fielding_run_id currency currency_code
    currency_scale current_completes current_cost current_cost_per_interview current_prescreens data
    demographics_strictness_percentage description detail details drop_off_rate duration earnings_per_click
    email_recipients enabled end_at end_date end_fielding_at entity_type entrants errors exchange_max_percentage
    exchange_min_percentage excluded_target_group_ids exclusion exclusion_enabled exclusions expected_incidence_rate
    expected_length_of_interview_minutes expires_at failed_target_groups failure_reason
    fielding_assistant_assignment fielding_run_id fielding_runs fielding_specification file_name filling_goal
    filling_goal_percentage filling_strategy first_complete group_name groups has_more human_readable_id id
    in_screener incidence_rate included_target_group_ids industries industry_code industry_lockout_code
    invalid_params is_finish_allowed is_launch_allowed is_pause_allowed is_pricing_restricted is_relaunch_allowed
    is_resume_allowed issue_type issues job_id job_trace_id jobs label language language_code last_activity_at
    last_changed_at last_changed_by last_complete last_complete_date last_modified_at last_modified_by launched_at
    length_of_interview length_of_interview_minutes level list live live_url locale locales max max_completes
    max_percentage maximum_cpi median_length_of_interview_seconds message min min_completes min_percentage
    minimum_cpi name new_value next_cursor object occurred_at old_value open_exchange_allocations option overquota
    pacing page_size partial_success_reason prescreens prevent_overfill previous_cursor price price_type pricing
    pricing_model profile_adjustment_type profiles profiling progress project_customer_reference_number
    project_exclusion_enabled project_id project_manager_id project_name projects question_id quota quota_id
    quota_overlay quotas quotas_enabled reason reason_code reasons report_id report_type reports_requests
    respondent_activity_exclusions respondent_analysis respondent_statuses saved_access_respondent_guids_count
    saved_respondent_ids_count soft_launch start_at start_date start_fielding_at statistics status statuses
    study_type_code study_types suggested_completes_goal_range suggested_price suggested_price_range suggestions
    supplier supplier_id supplier_ids supplier_name suppliers supply_allocations system target_group_count
    target_group_customer_reference_number target_group_customer_reference_numbers target_group_human_readable_ids
    target_group_id target_group_ids target_group_name target_groups targets template_id template_name templates
    terminates test test_url text timestamp title total_budget total_count total_remaining type unconsumed_count
    update_date updated_at updated_by updated_target_groups uploaded_count user_id users value version
    """
)
"""Fields of the operations this client uses. Names of persons, contacts, tokens and signed addresses are not here."""

PERSON_MARKS = frozenset({"email", "full_name", "first_name", "last_name", "user_name", "phone"})
"""An object with one of these describes a person: its texts are emptied, whatever they are called."""

STAFF_FIELDS = _words(
    """
    created_by email_recipients id las_user_id last_changed_by last_modified_by project_manager_id report_id
    template_id updated_by user_id
    """
)
"""Fields whose UUIDs name staff and things, never respondents."""

CURSOR_FIELDS = frozenset({"next_cursor", "previous_cursor"})
CURSOR_QUERIES = frozenset({"start_after", "end_before"})

KEPT_COLUMNS = _words(
    """
    clientstatus client_status code completes completion_date cost cpi country currency date end_date entry_date
    initial_status language last_date loi marketplace_status project_id respondent_id response_id rid rsid
    start_date status status_code supplier_id survey_id target_group_id
    """
)
"""Columns of a report whose cells may be kept; ids in them are replaced all the same."""

PUBLIC_IDS = frozenset({"b551326b-ac9d-4d32-8823-4f025787dab9"})
"""UUIDs printed in the public guides. They name nobody, and keep examples recognisable."""

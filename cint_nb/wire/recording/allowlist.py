"""The fields, columns and headers a recording may contain; every other one is blanked before it is written."""

from __future__ import annotations


def _split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALLOWED_HEADERS = ("content-type", "etag", "location", "retry-after", "content-disposition", "traceparent", "sunset")

ALLOWED_FIELDS = _split_words(
    """
    account_id accounts aggregated_completes_intervals allocation_template allocations allow_all_values
    allow_for_current_target_group allow_for_other_target_groups average_cost_per_interview balance_fill
    blended_type blocked_supplier_ids blocked_suppliers boost_cpi business_unit business_unit_id business_units
    change_type changelog changes client_side code collects_pii completed_at completes completes_cost completes_goal
    completes_goal_percentage condition_name condition_name_translated conditions conversion_rate
    conversion_rate_average cost_per_interview count country country_code cpi_boost create_date create_params
    created_at created_by created_fielding_run_id currency currency_code currency_scale current_completes
    current_cost current_cost_per_interview current_prescreens data data_analysis data_format date
    demographics_strictness_percentage description description_translated detail details drop_off_rate
    drop_off_rate_average duration earnings_per_click earnings_per_click_per_minute email_recipients enabled end_at
    end_date end_fielding_at entity_ids entity_type entrants errors exchange_max_percentage exchange_min_percentage
    exchange_suppliers excluded_target_group_ids exclusion exclusion_enabled exclusion_group_id exclusions
    expected_incidence_rate expected_length_of_interview_minutes expires_at exposed_target_group_id
    failed_target_groups failure_reason fielding_assistant_assignment fielding_run_id fielding_runs
    fielding_specification file_name filling_goal filling_goal_percentage filling_strategy filter filter_ids filters
    first_complete group_id group_name groups has_more human_readable_id id in_screener incidence_rate
    incidence_rate_median incidence_rate_percents include_respondent_answers included_target_group_ids
    increment_interval industries industry_code industry_lockout_code interlock_id invalid_params is_finish_allowed
    is_launch_allowed is_pause_allowed is_preferred is_pricing_restricted is_relaunch_allowed is_resume_allowed
    issue_type issues job_id job_trace_id jobs label language language_code languages las_user_id last_activity_at
    last_changed_at last_changed_by last_complete last_complete_date last_modified_at last_modified_by launched_at
    length_of_interview length_of_interview_median_seconds length_of_interview_minutes level link_type links list
    live live_url locale locales max max_completes max_percentage maximum_cpi median_length_of_interview_seconds
    message min min_completes min_percentage minimum_cpi name new_value next_cursor object occurred_at old_value
    open_exchange_allocations option overquota pacing page_size partial_success_reason percentage_max percentage_min
    pre_screens prescreens prevent_overfill previous_cursor price price_type pricing pricing_model pricing_models
    private_exchange_allocations private_exchange_prices profile_adjustment_type profile_id profile_ids profiles
    profiling progress project_customer_reference_number project_exclusion_enabled project_id project_manager_id
    project_name projected_completes_goal projected_completes_percentage projects question_id quota quota_id
    quota_nominal quota_overlay quotas quotas_enabled rate_card_price_boost re_entry_configuration reason
    reason_code reasons report_id report_options report_type reports_requests respondent_activity_exclusions
    respondent_analysis respondent_statuses saved_access_respondent_guids_count saved_respondent_ids_count
    screener_side security_failures soft_launch start_at start_date start_fielding_at statistics status statuses
    step_days study_type_code study_types suggested_completes_goal_range suggested_price suggested_price_range
    suggestions supplier supplier_id supplier_ids supplier_name suppliers supply_allocations survey_id system tag
    target_group_count target_group_cpi target_group_customer_reference_number
    target_group_customer_reference_numbers target_group_human_readable_ids target_group_id target_group_ids
    target_group_name target_groups targets template_id template_name templates terminates test test_client_survey
    test_screener test_url text text_translated timestamp title total_budget total_count total_remaining type
    unconsumed_count update_date updated_at updated_by updated_target_groups uploaded_count user user_id users value
    version
    classification_code classification_id error_level error_type metadata open_ended_values option_mask
    profile_condition_type standard total
    allowed eligible_completes expired expired_count invalid invalid_count last_reconciliation_date monetary_amount
    negative_reversed negative_reversed_count positive_reversed positive_reversed_count reconciliation_reasons
    reconciliation_requests request_id result_counts submission_type submitted submitted_at submitted_by_user_id
    submitted_count submitter_las_id summary total_reversed
    bound_rate_card buyer_account_id buyer_business_unit_exchange_rate_from_usd buyer_business_unit_id config
    open_exchange_price predicted_rate_card pricing_context pricing_table_currency_code pricing_table_data
    rate_card_data user_requested_cpi
    """
)
"""Fields of the operations this client uses. The value of any other is blanked, at every depth.

Names of persons, contacts, tokens and signed URLs are not here."""

PERSONAL_FIELDS = frozenset({"email", "full_name", "first_name", "last_name", "user_name", "phone"})
"""An object with one of these describes a person: its texts are blanked, whatever their names."""

STAFF_FIELDS = _split_words(
    """
    created_by email_recipients id las_user_id last_changed_by last_modified_by project_manager_id report_id
    submitted_by_user_id submitter_las_id template_id updated_by user_id
    """
)
"""Fields whose UUIDs identify staff and objects, never respondents."""

OWN_ACCOUNT_LISTS = frozenset({"accounts", "business_units"})
"""Lists of what the user's organisation is and has: in live recordings their names are removed."""

CURSOR_FIELDS = frozenset({"next_cursor", "previous_cursor"})
CURSOR_PARAMS = frozenset({"start_after", "end_before"})

ALLOWED_COLUMNS = _split_words(
    """
    client_status clientstatus code completes completion_date cost count country cpi currency date end_date
    entry_date entry_date_utc initial_status language last_date last_date_utc loi loi_seconds marketplace_status
    project_id respondent_id respondent_id_rsid response_id response_id_rid rid rsid start_date status status_code
    status_description supplier supplier_id survey_id target_group_id
    """
)
"""Columns of a report whose cells may be kept; ids in them are replaced all the same."""

INVENTED_COLUMNS = _split_words("age device education gender rating region")
"""What people are and have answered: kept of the sandbox's invented people, never of a live recording."""

PUBLIC_IDS = frozenset({"b551326b-ac9d-4d32-8823-4f025787dab9"})
"""UUIDs printed in the public guides. They identify nobody, and keep examples recognisable."""

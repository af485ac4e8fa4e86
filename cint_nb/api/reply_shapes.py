"""Which keys of its reply each operation needs, expects, or may leave out, and of which type they are.

`needed` is what a verb rests on, `expected` what the documents always give beside it, `optional` everything else that a
model of ours holds. `wire.http` compares each reply with its entry before anything reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cint_nb.wire.replies.shape import (
    Either,
    Key,
    Kind,
    Object,
    ReplyShape,
    Rows,
    Shape,
    expected,
    needed,
    optional,
    spare,
)

_TEXT, _ID, _ANY = Kind.TEXT, Kind.ID, Kind.ANY
_NUMBER, _COUNT, _RATE, _FLAG, _MOMENT = Kind.NUMBER, Kind.COUNT, Kind.RATE, Kind.FLAG, Kind.MOMENT
_UNREAD = Object({})
_OBJECTS = Rows(_UNREAD)


def _object(**keys: Key) -> ReplyShape:
    return ReplyShape(Object(keys))


def _list(name: str, row: Shape, **more: Key) -> ReplyShape:
    """Return the shape of a list under a name; an absent list is not known, never empty."""
    return ReplyShape(Object({name: needed(Rows(row)), **more}))


_CURSOR = optional(_TEXT)
_SCALE = {"currency_scale": optional(_NUMBER)}
_MONEY = Object({"value": expected(Kind.DECIMAL), "currency_code": expected(Kind.CURRENCY), **_SCALE})
_PRICE = Object({"value": needed(Kind.DECIMAL), "currency_code": needed(Kind.CURRENCY), **_SCALE})
_CREATED = ReplyShape(_ANY, may_be_empty=True)
"""Its id is in one of several keys, or in the Location header: `parse_created_id` demands it."""
_NO_BODY = ReplyShape(_ANY, may_be_empty=True)
_FILE = ReplyShape(_ANY)

_ITEM = Object({"id": optional(_COUNT), "code": needed(_TEXT), "name": optional(_TEXT)})
_LANGUAGE = Object({"code": needed(_TEXT), "name": optional(_TEXT), "is_preferred": optional(_FLAG)})
_LOCALE = Object(
    {
        "country": needed(Object({"code": needed(_TEXT), "name": optional(_TEXT)})),
        "languages": needed(Rows(_LANGUAGE)),
    }
)
_TEMPLATE = {"template_id": needed(_ID), "name": expected(_TEXT), "last_modified_at": optional(_MOMENT)}

_STATISTICS = Object(
    {
        **{name: expected(_COUNT) for name in ("filling_goal", "current_completes", "current_prescreens")},
        "length_of_interview_median_seconds": expected(_NUMBER),
        **{
            name: expected(_RATE)
            for name in ("incidence_rate_median", "conversion_rate_average", "drop_off_rate_average")
        },
    }
)
_PROJECT = {
    "id": needed(_ID),
    "name": expected(_TEXT),
    "account_id": expected(_COUNT),
    "human_readable_id": optional(_TEXT),
    "project_customer_reference_number": optional(_TEXT),
}

_PROGRESS = {
    "current_completes": needed(_COUNT),
    "current_prescreens": expected(_COUNT),
    "filling_goal": needed(_COUNT),
    "filling_strategy": expected(_TEXT),
}


_ADVICE = Either((Object({"description": expected(_TEXT), "code": expected(_TEXT)}), _TEXT))
_ISSUE = Object({"issue_type": expected(_TEXT), "reason": optional(_ADVICE)})


def _metric(value: Shape) -> Key:
    return optional(Object({"value": expected(value), "issues": expected(Rows(_ISSUE))}))


_METRICS = Object(
    {
        "progress": expected(Object({"value": expected(Object(_PROGRESS)), "issues": expected(Rows(_ISSUE))})),
        "last_complete_date": _metric(_MOMENT),
        "average_cost_per_interview": _metric(_MONEY),
        "median_length_of_interview_seconds": _metric(_NUMBER),
        **{name: _metric(_RATE) for name in ("incidence_rate", "drop_off_rate", "conversion_rate")},
    }
)
_LISTED_GROUP = Object(
    {
        "id": needed(_ID),
        "name": needed(_TEXT),
        "status": expected(_TEXT),
        "project_manager_id": expected(_TEXT),
        "locale": expected(_TEXT),
        "created_at": expected(_MOMENT),
        "statistics": expected(_METRICS),
        "human_readable_id": optional(_TEXT),
        "exclusion_enabled": optional(_FLAG),
        "updated_at": optional(_MOMENT),
        "target_group_customer_reference_number": optional(_TEXT),
    }
)
_ASSISTANT = {
    "pricing": optional(
        Object({name: optional(_MONEY) for name in ("maximum_cpi", "minimum_cpi", "total_budget", "boost_cpi")})
    ),
    "quota_overlay": optional(Object({"prevent_overfill": optional(_FLAG), "balance_fill": optional(_FLAG)})),
    "soft_launch": optional(_UNREAD),
    "pacing": optional(_UNREAD),
}
_SUPPLIERS = Rows(Either((Object({"id": optional(_COUNT), "name": optional(_TEXT)}), _TEXT)))


def _share(declare: Callable[[Shape], Key]) -> dict[str, Key]:
    return {
        "group_id": optional(_TEXT),
        "group_name": declare(_TEXT),
        "min_percentage": declare(_NUMBER),
        "max_percentage": declare(_NUMBER),
    }


def _allocations(declare: Callable[[Shape], Key]) -> dict[str, Key]:
    """Return the allocations of a group: `optional` in a draft, `expected` where they are asked for by themselves."""
    exchange = {
        "blocked_suppliers": declare(_SUPPLIERS),
        "exchange_suppliers": declare(_SUPPLIERS),
        "exchange_min_percentage": declare(_NUMBER),
        "exchange_max_percentage": declare(_NUMBER),
        "groups": declare(Rows(Object({**_share(declare), "suppliers": declare(_SUPPLIERS)}))),
    }
    private = {
        "blocked_suppliers": declare(_SUPPLIERS),
        "groups": declare(
            Rows(
                Object(
                    {
                        **_share(optional),
                        "supplier": optional(Object({"id": optional(_COUNT)})),
                        "supplier_id": optional(_ANY),
                    }
                )
            )
        ),
    }
    return {
        "open_exchange_allocations": declare(Object(exchange)),
        "private_exchange_allocations": declare(Object(private)),
    }


_ACTIVITY = Object({"type": needed(_TEXT), "id": needed(_ID), "duration": needed(_TEXT)})
_GROUP_KEYS = {
    "human_readable_id": optional(_TEXT),
    "industry_code": optional(_TEXT),
    "industry_lockout_code": optional(_TEXT),
    "live_url": optional(_TEXT),
    "test_url": optional(_TEXT),
    "target_group_customer_reference_number": optional(_TEXT),
}
_DRAFT = _object(
    **_GROUP_KEYS,
    name=optional(_TEXT),
    business_unit_id=optional(_TEXT),
    project_manager_id=optional(_TEXT),
    locale=optional(_TEXT),
    study_type_code=optional(_TEXT),
    completes_goal=optional(_COUNT),
    collects_pii=optional(_FLAG),
    expected_length_of_interview_minutes=optional(_NUMBER),
    expected_incidence_rate=optional(_RATE),
    fielding_specification=optional(Object({"start_at": expected(_MOMENT), "end_at": expected(_MOMENT)})),
    cost_per_interview=optional(_MONEY),
    client_cost_per_interview_note=optional(_ANY),
    exclusion=optional(Object({"enabled": optional(_FLAG)})),
    respondent_activity_exclusions=optional(_OBJECTS),
    fielding_assistant_assignment=optional(Object(_ASSISTANT)),
    allocations=optional(Object(_allocations(optional))),
    created_at=optional(_MOMENT),
)
_DETAILS = Object(
    {
        **_GROUP_KEYS,
        "id": expected(_ID),
        "name": needed(_TEXT),
        "industry_code": expected(_TEXT),
        "business_unit_id": expected(_TEXT),
        "project_manager_id": expected(_TEXT),
        "locale": expected(_TEXT),
        "study_type_code": expected(_TEXT),
        "completes_goal": expected(_COUNT),
        "collects_pii": expected(_FLAG),
        "links": optional(Object({"test_screener": optional(_TEXT), "test_client_survey": optional(_TEXT)})),
        "expected_length_of_interview_minutes": expected(_NUMBER),
        "expected_incidence_rate": expected(_RATE),
        "created_at": expected(_MOMENT),
    }
)
_CONDITION = Object(
    {
        "object": needed(_TEXT),
        "question_id": needed(_COUNT),
        "option": optional(_TEXT),
        "min": optional(_COUNT),
        "max": optional(_COUNT),
        "allow_all_values": optional(_FLAG),
        "open_ended_values": optional(Rows(_TEXT)),
    }
)
_QUESTION = Object(
    {
        "name": needed(_TEXT),
        "description": expected(_TEXT),
        "description_translated": optional(_TEXT),
        # Questions that are answered with a number or a text may have no answers to list.
        "targets": optional(
            Rows(
                Object(
                    {
                        "text": optional(_TEXT),
                        "text_translated": optional(_TEXT),
                        "conditions": needed(Rows(_CONDITION)),
                    }
                )
            )
        ),
        "option_mask": optional(_TEXT),
        "standard": expected(_FLAG),
        "profile_condition_type": expected(_TEXT),
        "classification_id": optional(_ANY),
        "classification_code": optional(_TEXT),
    }
)
_QUOTA = Object(
    {
        "name": optional(_TEXT),
        "completes_goal_percentage": expected(_NUMBER),
        "completes_goal": expected(_COUNT),
        "completes": optional(_COUNT),
        "prescreens": optional(_COUNT),
    }
)
_PROFILE = Object(
    {
        "id": needed(_ID),
        "object": needed(_TEXT),
        "blended_type": optional(_TEXT),
        "name": optional(_TEXT),
        "description": expected(_TEXT),
        "description_translated": optional(_TEXT),
        "quotas_enabled": needed(_FLAG),
        "targets": needed(
            Rows(
                Object(
                    {
                        "id": needed(_ID),
                        "name": optional(_TEXT),
                        "text": optional(_TEXT),
                        "text_translated": optional(_TEXT),
                        "conditions": needed(Rows(_CONDITION)),
                        "quota": optional(_QUOTA),
                    }
                )
            )
        ),
    }
)
_PROFILES = _object(
    locale=expected(_TEXT),
    completes_goal=needed(_COUNT),
    profiles=optional(Rows(_PROFILE)),  # the documents let a group without profiles leave it out
)
_ENDED = Object(
    {"status": needed(_TEXT), "label": optional(_TEXT), "description": optional(_TEXT), "count": needed(_COUNT)}
)
_PRICE_RANGE = Object({"min": expected(_MONEY), "max": expected(_MONEY)})
_GOAL_RANGE = Object({"min": expected(_COUNT), "max": expected(_COUNT)})
_FEASIBILITY = _object(
    suggested_price=expected(_MONEY),
    suggested_price_range=optional(_PRICE_RANGE),
    suggested_completes_goal_range=optional(_GOAL_RANGE),
    profiles=optional(_OBJECTS),
    allocations=optional(_UNREAD),
)

_EXCHANGE_PRICE = {
    "cost_per_interview": expected(_MONEY),
    "pricing_context": expected(Object({"type": expected(_TEXT), "rate_card_token": optional(_TEXT)})),
}
_PREDICTION = {
    "open_exchange_price": needed(Object(_EXCHANGE_PRICE)),
    "private_exchange_prices": needed(Rows(Object({"supplier_id": expected(_TEXT), **_EXCHANGE_PRICE}))),
    "buyer_business_unit_exchange_rate_from_usd": expected(_NUMBER),
}
_RATE_CARD = Object(
    {
        "length_of_interview_minutes": needed(Rows(_NUMBER)),
        "incidence_rate_percents": needed(Rows(_NUMBER)),
        "pricing_table_currency_code": expected(Kind.CURRENCY),
        "pricing_table_data": needed(Rows(Rows(_NUMBER))),
    }
)

_DETAILS_OF_REASON = Rows(Object({name: optional(_TEXT) for name in ("name", "reason", "detail")}))
_WHY = Either(
    (
        Object({"description": expected(_TEXT), "code": expected(_TEXT), "reasons": optional(_DETAILS_OF_REASON)}),
        _TEXT,
    )
)
_WHY_OF_A_GROUP = Either((Object({"description": optional(_TEXT), "code": optional(_TEXT)}), _TEXT))
_REASON = optional(_WHY)
_JOB = {
    "job_id": expected(_ID),
    "status": needed(_TEXT),
    "created_at": expected(_MOMENT),
    "completed_at": optional(_MOMENT),
    "failure_reason": _REASON,
    "job_trace_id": optional(_TEXT),
}
_PART = Either((Object({"description": expected(_TEXT)}), _TEXT))
_UPLOAD_JOB = _object(**_JOB, partial_success_reason=optional(_PART))
_LAUNCH_JOB = _object(**_JOB, created_fielding_run_id=optional(_ID))


def _groups_of_a_batch(**more: Key) -> Key:
    row = Object({"target_group_id": needed(_ID), **more})
    return expected(Object({"data": needed(Rows(row)), "has_more": expected(_FLAG)}))


_BATCH_JOB = _object(
    **_JOB,
    updated_target_groups=_groups_of_a_batch(),
    failed_target_groups=_groups_of_a_batch(failure_reason=expected(_WHY_OF_A_GROUP)),
)
_RUN = {
    "id": needed(_ID),
    "status": needed(_TEXT),
    "start_fielding_at": spare(_MOMENT),  # pausing and closing rest on id and status alone
    "end_fielding_at": spare(_MOMENT),
    "last_changed_at": spare(_MOMENT),
    "version": spare(_COUNT),
}
_REPORT_REQUEST = Object(
    {
        "report_id": needed(_ID),
        "report_type": optional(_TEXT),
        "report_url": optional(_TEXT),
        "status": optional(_TEXT),
        "level": optional(_TEXT),
        "create_date": optional(_MOMENT),
        "create_params": optional(
            Object(
                {
                    "start_date": optional(_TEXT),
                    "end_date": optional(_TEXT),
                    "filter": optional(_TEXT),
                    "filter_ids": optional(Rows(_TEXT)),
                }
            )
        ),
        "requestor": optional(_UNREAD),
    }
)
_COUNTS = ("submitted", "expired", "invalid", "positive_reversed", "negative_reversed")
_FLAT_COUNTS = {f"{name}_count": optional(_COUNT) for name in _COUNTS}
_RECONCILIATION = Object(
    {
        "id": needed(_ID),
        "name": optional(_TEXT),
        "status": needed(_TEXT),
        "submitted_at": optional(_MOMENT),
        "submitted_by_user_id": optional(_TEXT),
        "submission_type": optional(_TEXT),
        "result_counts": optional(Object({name: optional(_COUNT) for name in (*_COUNTS, "total_reversed")})),
    }
)
_RECONCILED_GROUP = {"target_group_id": needed(_ID), "status": optional(_TEXT), **_FLAT_COUNTS}
_ELIGIBLE_GROUP = Object(
    {
        "target_group_id": needed(_ID),
        "name": optional(_TEXT),
        "project_id": optional(_ID),
        "project_name": optional(_TEXT),
        "project_manager": optional(_UNREAD),
        "status": optional(_TEXT),
        "last_reconciliation_date": optional(_MOMENT),
        "eligible_completes": optional(_TEXT),
        "monetary_amount": optional(_MONEY),
    }
)
_POLICY = {
    "project_exclusion_enabled": needed(_FLAG),
    "create_date": optional(_MOMENT),
    "update_date": optional(_MOMENT),
    "updated_by": optional(_TEXT),
}
_POLICIES = Rows(Object({"target_group_id": needed(_ID), **_POLICY}))

REPLY_SHAPES: Mapping[str, ReplyShape] = {
    # Accounts and definitions
    "definitions.accounts": _list("accounts", Object({"id": needed(_COUNT), "name": optional(_TEXT)})),
    "definitions.users": _list("users", Object({"id": needed(_ID), "name": optional(_TEXT), "email": optional(_TEXT)})),
    "definitions.business_units": _list(
        "business_units",
        Object(
            {
                "id": needed(_COUNT),
                "name": optional(_TEXT),
                "currency_code": needed(Kind.CURRENCY),
                "pricing_models": optional(Rows(_TEXT)),
            }
        ),
    ),
    "definitions.user_business_unit": _object(business_unit_id=optional(_COUNT)),
    "definitions.locales": _list("locales", _LOCALE),
    "definitions.industries": _list("industries", _ITEM),
    "definitions.study_types": _list("study_types", _ITEM),
    "definitions.suppliers": _list(
        "suppliers", Object({"id": needed(_COUNT), "code": optional(_TEXT), "name": optional(_TEXT)})
    ),
    # A search without a result has null in place of the list, and says so by its total.
    "definitions.questions": _object(
        total=needed(_COUNT),
        profiles=optional(Rows(_QUESTION)),
        has_more=expected(_FLAG),
        next_cursor=_CURSOR,
    ),
    "definitions.allocation_templates": _list(
        "templates",
        Object({**_TEMPLATE, "last_modified_at": expected(_MOMENT)}),
        has_more=expected(_FLAG),
        next_cursor=_CURSOR,
    ),
    "definitions.allocation_template": _object(
        **_TEMPLATE,
        supply_allocations=needed(
            Rows(
                Object(
                    {
                        "type": needed(_TEXT),
                        "name": optional(_TEXT),
                        "percentage_min": optional(_NUMBER),
                        "percentage_max": optional(_NUMBER),
                        "suppliers": needed(Rows(Object({"supplier_id": expected(_TEXT)}))),
                    }
                )
            )
        ),
    ),
    # Projects
    "projects.create": _CREATED,
    "projects.list": _list(
        "projects",
        Object(
            {
                **_PROJECT,
                "name": needed(_TEXT),
                "status": expected(_TEXT),
                "target_group_count": expected(_COUNT),
                "last_activity_at": expected(_MOMENT),
                "statistics": expected(_STATISTICS),
            }
        ),
        has_more=expected(_FLAG),
        next_cursor=_CURSOR,
    ),
    "projects.get": _object(**_PROJECT, project_manager_id=expected(_TEXT)),
    "projects.overview": _object(
        **{**_PROJECT, "name": optional(_TEXT), "human_readable_id": expected(_TEXT)},
        project_manager_id=expected(_TEXT),
        status=expected(_TEXT),
        created_at=expected(_MOMENT),
        statistics=expected(_STATISTICS),
    ),
    # Target groups
    "target_groups.create_draft": _CREATED,
    "target_groups.list": _list("target_groups", _LISTED_GROUP, has_more=expected(_FLAG), next_cursor=_CURSOR),
    "target_groups.get": _DRAFT,
    "target_groups.update_draft": _NO_BODY,
    "target_groups.details": ReplyShape(_DETAILS),
    "target_groups.update_details": ReplyShape(_DETAILS, may_be_empty=True),
    "target_groups.overview": _object(
        target_group_name=expected(_TEXT),
        project_name=expected(_TEXT),
        status=needed(_TEXT),
        progress=needed(Object(_PROGRESS)),
        pricing_model=expected(_TEXT),
        is_pricing_restricted=expected(_FLAG),
        current_cost_per_interview=expected(_MONEY),
        average_cost_per_interview=optional(_MONEY),
        current_cost=expected(_MONEY),
        conversion_rate=expected(_RATE),
        drop_off_rate=expected(_RATE),
        incidence_rate=expected(_RATE),
        median_length_of_interview_seconds=optional(_NUMBER),
        study_type_code=optional(_TEXT),
        country_code=expected(_TEXT),
        language_code=expected(_TEXT),
        created_at=expected(_MOMENT),
        target_group_customer_reference_number=optional(_TEXT),
    ),
    "target_groups.performance": _object(
        entrants=needed(_COUNT),
        prescreens=needed(_COUNT),
        completes=needed(_COUNT),
        completes_cost=optional(_MONEY),
        first_complete=optional(_MOMENT),
        last_complete=optional(_MOMENT),
        **{name: optional(_RATE) for name in ("incidence_rate", "drop_off_rate", "conversion_rate")},
        respondent_analysis=optional(Object({"live": optional(Rows(_ENDED)), "test": optional(Rows(_ENDED))})),
    ),
    "target_groups.completes_by_interval": _list(
        "aggregated_completes_intervals", Object({"timestamp": needed(_MOMENT), "count": needed(_COUNT)})
    ),
    "target_groups.changelog": _list(
        "changelog",
        Object(
            {
                "id": optional(_TEXT),
                "occurred_at": optional(_MOMENT),
                "user": optional(Object({"type": optional(_TEXT)})),
                "changes": optional(_OBJECTS),
            }
        ),
        next_cursor=_CURSOR,
    ),
    "target_groups.set_cost_per_interview": ReplyShape(Object({"target_group_cpi": needed(_PRICE)}), may_be_empty=True),
    "target_groups.set_filling_strategy": ReplyShape(Object({"filling_strategy": needed(_TEXT)}), may_be_empty=True),
    "target_groups.set_completes_goal": ReplyShape(Object({"completes_goal": needed(_COUNT)}), may_be_empty=True),
    "target_groups.feasibility": _FEASIBILITY,
    "target_groups.group_feasibility": _FEASIBILITY,
    "target_groups.fielding_assistant": _object(**_ASSISTANT),
    "target_groups.allocation_specification": _object(**_allocations(expected)),
    # Profiles
    "profiles.validate": _NO_BODY,
    "profiles.list": _PROFILES,
    "profiles.replace": ReplyShape(_PROFILES.body, may_be_empty=True),
    # Recontacts
    "recontacts.upload": _CREATED,
    "recontacts.jobs": _list(
        "data",
        Object(
            {
                "job_id": needed(_ID),
                "file_name": needed(_TEXT),
                "status": needed(_TEXT),
                "created_at": expected(_MOMENT),
                "created_by": expected(_TEXT),
            }
        ),
        next_cursor=_CURSOR,
    ),
    "recontacts.upload_status": _UPLOAD_JOB,
    "recontacts.download": _FILE,
    "recontacts.upload_rsids": _CREATED,
    "recontacts.upload_rsids_status": _UPLOAD_JOB,
    "recontacts.remove_all": _CREATED,
    "recontacts.remove_all_status": _UPLOAD_JOB,
    "recontacts.saved_count": _object(saved_respondent_ids_count=needed(_COUNT)),
    # The documents let an empty page omit its list, so `saved_ids` asks for the count where there is none.
    "recontacts.saved_ids": _object(data=optional(Rows(Kind.RESPONDENT)), next_cursor=_CURSOR),
    # Exclusions
    "exclusions.upload": _CREATED,
    "exclusions.upload_status": _UPLOAD_JOB,
    "exclusions.remove_all": _CREATED,
    "exclusions.remove_all_status": _UPLOAD_JOB,
    "exclusions.overview": _object(
        saved_respondent_ids_count=needed(_COUNT), saved_access_respondent_guids_count=optional(_COUNT)
    ),
    "exclusions.effective_rsids": _list("data", Kind.RESPONDENT, next_cursor=_CURSOR),
    "exclusions.policy": _object(**_POLICY),
    "exclusions.policies": ReplyShape(Either((_POLICIES, Object({"data": needed(_POLICIES)})))),
    "exclusions.set_policies": _NO_BODY,
    "exclusions.activity": _list("respondent_activity_exclusions", _ACTIVITY),
    "exclusions.set_activity": _NO_BODY,
    "exclusions.groups": _list(
        "data",
        Object(
            {
                "exclusion_group_id": needed(_ID),
                "tag": expected(_TEXT),
                "description": expected(_TEXT),
                "create_date": expected(_MOMENT),
                "update_date": optional(_MOMENT),
            }
        ),
        next_cursor=_CURSOR,
    ),
    # Prices
    "prices.predict": _object(**_PREDICTION),
    "prices.target_group": _object(price_type=expected(_TEXT), **_PREDICTION),
    "prices.rate_card": _object(country_code=expected(_TEXT), token=expected(_TEXT), rate_card_data=needed(_RATE_CARD)),
    "prices.target_group_rate_card": _object(
        country_code=expected(_TEXT),
        predicted_rate_card=optional(_RATE_CARD),
        predicted_rate_card_token=optional(_TEXT),
        bound_rate_card=optional(_RATE_CARD),
        bound_rate_card_token=optional(_TEXT),
    ),
    # Fielding
    "fielding.launch": _CREATED,
    "fielding.launch_status": _LAUNCH_JOB,
    "fielding.schedule": _CREATED,
    "fielding.schedule_status": _LAUNCH_JOB,
    "fielding.run_list": _list("data", Object(_RUN), has_more=spare(_FLAG)),
    "fielding.run": _object(**_RUN),
    **{
        f"fielding.{verb}": _NO_BODY for verb in ("update_run", "launch_now", "pause", "resume", "complete", "relaunch")
    },
    "fielding.allowed_actions": _object(
        target_groups=optional(Rows(_TEXT)),
        **{f"is_{verb}_allowed": optional(_FLAG) for verb in ("launch", "pause", "resume", "relaunch", "finish")},
    ),
    **{f"fielding.start_batch_{verb}": _CREATED for verb in ("launch", "pause", "resume", "complete", "relaunch")},
    **{
        f"fielding.start_batch_{verb}_status": _BATCH_JOB
        for verb in ("launch", "pause", "resume", "complete", "relaunch")
    },
    # Reports
    "reports.generate": _CREATED,
    "reports.list": _list("reports_requests", _REPORT_REQUEST, next_cursor=_CURSOR),
    "reports.status": _object(status=needed(_TEXT)),
    "reports.download": _FILE,
    # Reconciliations, of which the documents require no key
    "reconciliations.submit": _CREATED,
    "reconciliations.list": _list(
        "reconciliation_requests", _RECONCILIATION, next_cursor=_CURSOR, page_size=optional(_COUNT)
    ),
    "reconciliations.get": _object(
        request_id=needed(_ID),
        name=optional(_TEXT),
        status=needed(_TEXT),
        submitted_at=optional(_MOMENT),
        submitter_las_id=optional(_TEXT),
        submission_type=optional(_TEXT),
        **_FLAT_COUNTS,
    ),
    "reconciliations.target_groups": _list(
        "target_groups", Object(_RECONCILED_GROUP), next_cursor=_CURSOR, page_size=optional(_COUNT)
    ),
    "reconciliations.target_group": _object(**_RECONCILED_GROUP),
    # A file of nobody is empty; the counts of the submission say how many it must hold.
    "reconciliations.download": ReplyShape(_ANY, may_be_empty=True),
    "reconciliations.eligible_target_groups": _list(
        "target_groups",
        _ELIGIBLE_GROUP,
        has_more=optional(_FLAG),
        next_cursor=_CURSOR,
        page_size=optional(_COUNT),
        url=optional(_TEXT),
        summary=optional(_UNREAD),
    ),
    "reconciliations.reason_codes": _list(
        "reconciliation_reasons",
        Object(
            {
                "code": needed(_TEXT),
                "name": optional(_TEXT),
                "description": optional(_TEXT),
                "allowed": needed(_FLAG),
            }
        ),
    ),
}
"""The shape of each operation's reply, by the operation's name."""

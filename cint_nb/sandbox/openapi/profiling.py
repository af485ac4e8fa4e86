"""The schemas of the question library and of the profiles of target groups."""

from __future__ import annotations

from cint_nb.sandbox.openapi.builders import array, boolean, integer, nullable, number, object_, string, ulid
from cint_nb.sandbox.openapi.drafts import GOAL, PROFILE
from cint_nb.sandbox.protocol.json_schema import Schema

LOCALE = string(pattern="^[a-z]{3}_[a-z]{2}$")
_question_id = integer(1)
_condition: Schema = {
    "anyOf": [
        object_(
            {
                "object": string(enum=["selection"]),
                "question_id": _question_id,
                "option": string(),
                "condition_name": string(),
                "condition_name_translated": string(),
            },
            optional=("condition_name", "condition_name_translated"),
        ),
        object_(
            {
                "object": string(enum=["range"]),
                "question_id": _question_id,
                "min": integer(1, 99),
                "max": integer(1, 99),
                "condition_name": string(),
                "condition_name_translated": string(),
            },
            optional=("condition_name", "condition_name_translated"),
        ),
        object_(
            {
                "object": string(enum=["open_ended"]),
                "question_id": _question_id,
                "allow_all_values": boolean(),
                "open_ended_values": nullable(array(string())),
                "condition_name": string(),
                "condition_name_translated": string(),
            },
            optional=("condition_name", "condition_name_translated"),
        ),
    ]
}
# As the vendor's example shows them: the library's conditions of ranges and texts lack what a draft must fill in.
_library_condition = object_(
    {
        "object": string(enum=["selection", "range", "open_ended"]),
        "question_id": _question_id,
        "option": nullable(string()),
        "allow_all_values": boolean(),
    },
    optional=("option", "allow_all_values"),
)
_profiling = object_(
    {
        "profile_adjustment_type": string(enum=["percentage", "nominal"]),
        "profiles": array(PROFILE, low=1, high=1_500),
    }
)
_quota = object_(
    {
        "name": string(),
        "completes_goal_percentage": number(0, 100),
        "completes_goal": integer(0),
        "quota_nominal": integer(0),
        "completes": integer(0),
        "prescreens": integer(0),
    },
    optional=("name",),
)
_launched_profile = object_(
    {
        "object": string(enum=["regular", "blended"]),
        "blended_type": string(enum=["interlock", "control"]),
        "id": ulid,
        "quotas_enabled": boolean(),
        "name": string(),
        "description": string(),
        "description_translated": string(),
        "targets": array(
            object_(
                {
                    "id": ulid,
                    "name": string(),
                    "text": string(),
                    "text_translated": string(),
                    "conditions": array(_condition, low=1),
                    "quota": _quota,
                },
                optional=("name", "quota"),
            ),
            low=1,
        ),
    },
    optional=("blended_type",),
)
_changed_quotas = array(
    object_(
        {
            "profile_id": ulid,
            "targets": array(object_({"id": ulid, "quota": object_({"completes_goal": GOAL})}), low=1, high=200),
        }
    ),
    high=1_500,
)

PROFILING: dict[str, Schema] = {
    "Suppliers": object_({"suppliers": array(object_({"id": integer(), "code": string(), "name": string()}))}),
    "Questions": object_(
        {
            "total": {**integer(), "example": 1},
            "profiles": nullable(
                array(
                    object_(
                        {
                            "object": string(enum=["regular"]),
                            "name": string(),
                            "description": string(),
                            "description_translated": string(),
                            "quotas_enabled": boolean(),
                            "targets": array(
                                object_(
                                    {
                                        "text": string(),
                                        "text_translated": string(),
                                        "conditions": array(_library_condition, low=1),
                                    }
                                )
                            ),
                            "option_mask": string(),
                            "standard": boolean(),
                            "profile_condition_type": string(),
                            "classification_id": integer(None),
                            "classification_code": string(),
                        }
                    )
                )
            ),
            "has_more": boolean(),
            "next_cursor": nullable(string()),
        },
        optional=("next_cursor",),
    ),
    "ProfilesToValidate": object_({"locale": LOCALE, "completes_goal": GOAL, "profiling": _profiling}),
    "ProfilesToReplace": object_({"completes_goal": GOAL, "profiling": _profiling}),
    "LaunchedProfiles": object_(
        {"locale": string(), "completes_goal": GOAL, "profiles": array(_launched_profile)},
    ),
    "GoalChange": object_({"completes_goal": nullable(GOAL), "profiles": nullable(_changed_quotas)}, optional=None),
}

"""The rules of the exchange that no source settles: each is a switch, whose default is what the guides come closest to.

Nothing here is known of the live exchange: either no document says it, or two say different things. A program that must
not depend on the answer is tried with both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Literal, get_args, get_type_hints

from cint_nb.domain.arguments import check_arguments
from cint_nb.domain.ids import printable


@printable
@check_arguments(refusals=(ValueError,))
@dataclass(frozen=True)
class ExchangeRules:
    """What the simulated exchange does where its live behaviour is not published.

    Args:
        expiry_status: Status of a request whose token has expired: 401, as the recontact guide says, or 403, as the
            page on authentication says.
        wrong_kind: What becomes of a response id sent as a respondent id, and the other way round: `unknown` rejects
            it, `accepted` takes it for an id of the kind that was named.
        goal_above_saved: Whether a recontact goal above the saved ids is `refused` in a draft and by a change of the
            goal, once ids are saved, or `allowed` until the launch, which always compares them.
        repeated_ids: How the sentence of a partial success counts ids that stand twice in a file or are saved already:
            among those `saved`, or among those that `failed`.
        undocumented_fields: Fields and query parameters that the description does not name are `ignored`, or `refused`
            one by one.
        prevent_overfill: What a launch makes of `prevent_overfill`: the filling strategy stays as it was set, `kept`,
            or the goal becomes a quota of those who pass the screener, `prescreens`, as the help pages describe it.
        private_exchange: Whether the account has a Private Exchange, which price predictions need: `present` or
            `absent`.

    Raises:
        InputError: for a value that is none of these.

    Example:
        >>> rules = cint.sandbox.ExchangeRules(expiry_status="403")
        >>> cint.sandbox.Sandbox(rules=rules).world.rules.expiry_status
        '403'
    """

    expiry_status: Literal["401", "403"] = "401"
    wrong_kind: Literal["unknown", "accepted"] = "unknown"
    goal_above_saved: Literal["refused", "allowed"] = "refused"
    repeated_ids: Literal["saved", "failed"] = "saved"
    undocumented_fields: Literal["ignored", "refused"] = "ignored"
    prevent_overfill: Literal["kept", "prescreens"] = "kept"
    private_exchange: Literal["present", "absent"] = "present"

    def __post_init__(self) -> None:
        for name, known in rule_choices().items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r:.40}")

    def to_text(self) -> str:
        """Return all rules as one line, such as `expiry_status=401 wrong_kind=unknown`.

        Example:
            >>> text = cint.sandbox.ExchangeRules(expiry_status="403").to_text()
            >>> text.split()[0]
            'expiry_status=403'
        """
        return " ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


@cache
def rule_choices() -> dict[str, tuple[str, ...]]:
    """Return the values of each rule, the default first."""
    hints = get_type_hints(ExchangeRules)
    return {field.name: get_args(hints[field.name]) for field in fields(ExchangeRules)}


def parse_rules(texts: Iterable[str]) -> ExchangeRules:
    """Parse rules that are written `NAME=VALUE`; of those given twice, the last counts.

    Raises:
        ValueError: for an unknown name or value, with the known ones.
    """
    chosen: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        known = rule_choices()
        if name not in known:
            raise ValueError(f"{name!r:.40} is not a rule; choose from {', '.join(known)}")
        if value not in known[name]:
            raise ValueError(f"{value!r:.40} is not a value of {name}; choose from {', '.join(known[name])}")
        chosen[name] = value
    return ExchangeRules(**chosen)  # type: ignore[arg-type]  # compared with the known values above

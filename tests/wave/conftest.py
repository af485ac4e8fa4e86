"""A client on the sandbox, a list with one of everything, and a plan that holds."""

from tests.support.wave_fixtures import (  # noqa: F401  # shared with other rooms
    client,
    make_plan,
    make_wave,
    people,
    people_as_read,
)

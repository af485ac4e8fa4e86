"""A client on the sandbox, a list with one of everything, and a plan that holds."""

from tests.support.wave_fixtures import client, make_plan, make_wave, people  # noqa: F401  # shared with other rooms

"""The practice room: a simulated Demand API.

Knows: the rules of both guides, a population of respondents, and time that can be moved. It speaks JSON only.
May import: domain.limits and domain.ids, Starlette, python-multipart, uvicorn, httpx for its transport; never our
models or our client.
Gives out: `practice.Sandbox`, a Starlette app with its world, in this process; `server.serve` and
`server.ServedSandbox`, the same over HTTP; `clock.RemoteClock` for clients of a served one; `sample.write_sample`;
`description.describe`, its own OpenAPI document; `faults`, the names of what can go wrong on purpose.

A request goes door → dispatch → the row of `routes.TABLE` that answers → world; what is due by then happens first, in
`work`. All state hangs on one `World`, and nothing of it depends on when somebody looks.
"""

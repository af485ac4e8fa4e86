"""The control page: what happens in a sandbox, to look at and to click.

Knows: HTML, and what each fault teaches; nothing that the control API does not say.
May import: sandbox.http.control_api, sandbox.faults, sandbox.protocol; Starlette.
Gives out: the routes of the page, and the page of a class.
"""

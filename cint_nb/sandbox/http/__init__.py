"""The HTTP side of the sandbox: app, dispatch, fault injection, control API, persistence."""

"""Safety of requests that must not take effect twice."""

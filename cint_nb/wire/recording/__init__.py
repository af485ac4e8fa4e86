"""Recording and replay of calls, scrubbed and strict."""

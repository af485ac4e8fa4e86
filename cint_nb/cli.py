"""The command line: `cint-nb`."""

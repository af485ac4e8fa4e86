"""The resources of the Demand API, one module each."""

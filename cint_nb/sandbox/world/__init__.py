"""The state: entities, fixed data, ids and population."""

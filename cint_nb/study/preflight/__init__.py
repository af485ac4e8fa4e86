"""Preflight: rules that check a wave before anything is sent."""

"""Plots of completes, outcomes and the funnel."""

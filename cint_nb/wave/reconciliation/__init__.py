"""The reconciliation of a wave, from the effect of a list to what became of each of its rows.

Knows: how a list is recognised on the exchange, submitted once, and read back.
May import: wave, api, study, wire, domain.
Gives out: `ReconcileSteps`.
"""

"""The steps of one wave, by topic: what each verb asks, sends, writes into the journal and reads back.

Knows: one wave as its context describes it; a module knows none of the others.
May import: api, study, wire, domain, and of the wave its context, journal and exchange.
Gives out: `DraftSteps`, `UploadSteps`, `FieldingSteps`, `WithdrawalSteps`, `FileSteps`, `ReportSteps`,
`FeasibilitySteps`.
"""

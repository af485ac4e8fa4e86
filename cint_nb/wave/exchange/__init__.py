"""What the exchange says about a wave: the record every verb asks before it acts.

Knows: how a wave is recognised without a journal, its state, and whether draft and people are those of the plan.
May import: api, study, wire, domain.
Gives out: `identity`, `read_state`, `check_people`, `read_exchange_facts`.
"""

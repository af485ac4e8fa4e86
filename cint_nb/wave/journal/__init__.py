"""What waves meant to do and what came of it, on disk: a cache, an audit trail, and the store of approvals.

Knows: entries and their checksums, one file many processes use, and who works on which wave now.
May import: wire, domain.
Gives out: `Journal`, `JournalEntry`, `WaveKey`, `EntryState`, the steps with their payloads, `default_path`.
"""

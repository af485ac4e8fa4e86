"""What comes back, before it is an answer.

Knows: JSON bodies, what a body must look like, and the forms an error may have; no headers, no retries.
May import: domain.ids and domain.models.
Gives out: `parse_json`, `ReplyShape` and what declares one, `ErrorBody`.
"""

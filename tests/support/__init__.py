"""What several rooms of tests share: fakes of the exchange, clients, clocks, plans, and texts that must stay harmless.

A test module or a conftest imports from here or from the helpers of its own folder, never from another test module and
never from a conftest; `tests/package/test_test_layout.py` holds it to that.
"""

"""What all panels share: base class, style, formatting, background calls, static HTML.

Knows: ipywidgets and how notebooks show them.
May import: domain, wire.loop_thread, ipywidgets.
Gives out: `Panel`, the base class, and formatting that escapes.
"""

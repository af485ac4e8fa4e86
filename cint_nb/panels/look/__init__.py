"""What all panels share: base class, style, formatting, static HTML."""

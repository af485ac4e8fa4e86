"""Outcomes: what became of an upload, crosswalks, and visit reports."""

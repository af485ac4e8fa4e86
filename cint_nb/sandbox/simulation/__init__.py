"""The simulation: what happens as time passes."""

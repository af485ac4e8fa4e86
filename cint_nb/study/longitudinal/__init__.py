"""The waves of a study together: who took part in which, and how they compare."""

"""Figures, each with words for those who do not see it."""

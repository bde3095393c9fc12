"""Panels, predictions and sources, to be used in a notebook."""

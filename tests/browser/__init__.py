"""Tests that use the notebooks as a learner does: in JupyterLab, in a real browser."""

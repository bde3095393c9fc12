"""What the notebooks import: workers and experiments, instruments (core), pictures (show)."""

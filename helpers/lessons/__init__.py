"""Workers and experiments, a file a lesson; children import them, so they stay light and draw nothing."""

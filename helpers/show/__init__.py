"""What the learner looks at: figures, panels and predictions."""

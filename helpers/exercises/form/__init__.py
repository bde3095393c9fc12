"""What every exercise is made of: its declaration, its checks, the process that judges, and what the learner sees."""

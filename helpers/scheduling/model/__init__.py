"""What a program may do: every state and schedule, explored and counted."""

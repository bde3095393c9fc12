"""What a program does: schedules replayed and programs run free, on real processes."""

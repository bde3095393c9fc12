"""What a program is: a scenario, the handles of its shared objects, and what these do."""

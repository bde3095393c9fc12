"""What those who maintain the collection run."""

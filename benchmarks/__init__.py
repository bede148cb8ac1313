"""What is measured, against what, each by one command; see README.md."""

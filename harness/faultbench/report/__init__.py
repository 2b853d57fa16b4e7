"""The same rows for a terminal and for files."""

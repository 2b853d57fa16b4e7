"""Recordings, windows, episodes, scenarios, isolation levels and the leak audit."""

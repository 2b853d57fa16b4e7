"""Looking at data before anything is trained: checks of a user's folder, the leak audit as a report, shortcut probes, plots."""

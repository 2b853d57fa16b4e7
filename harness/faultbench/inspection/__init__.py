"""Looking at data before anything is trained: checks of a user's folder, shortcut probes, plots."""

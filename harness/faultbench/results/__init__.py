"""What was found: the store, the statistics, the criteria and the verdicts."""

"""The observers that come with faultbench. None does anything unless the environment asks for it."""

from faultbench_observers.mlflow_runs import MlflowRuns

FAULTBENCH_API = 1

mlflow = MlflowRuns()
"""Named by an entry point: an observer has a state, the run that it is watching."""

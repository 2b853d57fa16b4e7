"""From axes to cells to a graph of stages: the content-addressed cache and the executor."""

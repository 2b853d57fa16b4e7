"""What runs an artifact: the contract of a target, the latency protocol, the timing audit, the machine-wide lock."""

"""What a compressor promises, a test per promise."""

from faultbench.testing import contract

test_contract = contract("compressor", "slim")

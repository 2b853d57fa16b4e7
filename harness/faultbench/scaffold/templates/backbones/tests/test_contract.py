"""What a backbone promises, a test per promise."""

from faultbench.testing import contract

test_contract = contract("backbone", "new-plugin")

"""What a frontend promises, a test per promise."""

from faultbench.testing import contract

test_contract = contract("frontend", "new-plugin")

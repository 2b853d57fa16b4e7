"""What a target promises, a test per promise."""

from faultbench.testing import contract

test_contract = contract("target", "new-plugin")

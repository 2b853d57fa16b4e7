"""What a learner promises, a test per promise."""

from faultbench.testing import contract

test_contract = contract("learner", "new-plugin")

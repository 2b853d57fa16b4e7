"""What a scenario promises, a test per promise."""

from faultbench.testing import contract

test_contract = contract("scenario", "new-plugin")

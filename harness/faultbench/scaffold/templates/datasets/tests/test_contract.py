"""What a data set promises, a test per promise, on a made-up copy of the data."""

from faultbench.testing import contract
from made_up import made_up_data

test_contract = contract("dataset", "new-plugin", data_dir=made_up_data)

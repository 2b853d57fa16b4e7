"""What a plugin author tests with: the contract of each plugin kind, and small known parts to try a plugin on.

from faultbench.testing import contract

test_my_learner = contract("learner", "my-learner")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faultbench.testing.suite import Suite as Suite
    from faultbench.testing.suite import contract as contract

__all__ = ["Suite", "contract"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from faultbench.testing import suite

    return getattr(suite, name)

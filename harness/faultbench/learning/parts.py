"""Where a learner gets the front end and the backbone that it names in its parameters."""

from __future__ import annotations

from typing import cast

from faultbench.learning.contracts import Backbone, FrontEnd
from faultbench.registry import Registry, make


class RegistryParts:
    """The parts of a registry, by name."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def frontend(self, name: str) -> FrontEnd:
        """The front end of that name.

        Raises:
            UsageError: There is none.
        """
        return cast(FrontEnd, make(self._registry.choose("frontends", name)))

    def backbone(self, name: str) -> Backbone:
        """The backbone of that name.

        Raises:
            UsageError: There is none.
        """
        return cast(Backbone, make(self._registry.choose("backbones", name)))

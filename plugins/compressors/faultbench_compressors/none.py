"""The compressor that changes nothing: the row that others are compared with."""

from collections.abc import Mapping

from faultbench.api import CompressContext, Net


class Unchanged:
    """Returns the net as it was trained."""

    def compress(self, net: Net, ctx: CompressContext) -> tuple[Net, Mapping[str, object]]:
        """The net, and nothing achieved."""
        return net, {}

"""What a run takes where nothing is named: the only place in the harness that knows a plugin's name."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "datasets": ("simulated",),
    "scenarios": ("new-device",),
    "learners": ("maml",),
    "compressors": ("none",),
    "targets": ("x86",),
}
"""The names by axis."""

FOLDER = "folder"
"""The data set that reads a user's own folder, by its parameter `path`."""

"""What holds for all tests."""

import os

from hypothesis import settings

# A change is judged by the same examples every time; new ones are looked for on the developers' machines.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

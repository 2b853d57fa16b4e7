"""Front ends: from raw windows to features, as modules that go into the artifact's graph."""

"""Backbones: from features to an embedding."""

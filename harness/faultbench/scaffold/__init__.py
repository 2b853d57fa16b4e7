"""New distributions of plugins, written from templates that are working plugins themselves."""

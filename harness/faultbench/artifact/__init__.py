"""What goes to a device: the artifact's format, its writer and reader, and the single-file runner."""

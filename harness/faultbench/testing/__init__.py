"""What a plugin author tests with: the contract of each plugin kind, and small known parts to try a plugin on."""

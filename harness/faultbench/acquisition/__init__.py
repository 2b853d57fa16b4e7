"""Getting data sets: where each is looked for, downloads, archives, and whether what is there is what the source published."""

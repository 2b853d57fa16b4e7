"""A module that is there and cannot be imported, as one that needs a library that nobody installed."""

print("looking for what is missing")
raise ImportError("no library of that name is installed")

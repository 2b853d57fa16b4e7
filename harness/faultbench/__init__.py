"""faultbench: few-shot fault diagnosis on the edge, benchmarked so that the number can be trusted.

Importing this package costs nothing: what plugins need is in `faultbench.api`, what a shell needs in `faultbench.cli`.
"""

__version__ = "0.1.0"

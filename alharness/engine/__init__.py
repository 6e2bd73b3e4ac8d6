"""The loop, training and selection: torch, in memory only. It knows no files and no specs."""

import os

# Matrix products of MKL depend on where in memory a matrix begins, unless it is asked for results that do not.
# A member of a stack must have the same numbers at every place of the stack. To be set before MKL's first product.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

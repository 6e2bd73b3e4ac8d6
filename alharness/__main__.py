"""`python -m alharness` is the command `alharness`."""

from alharness.cli import main

main()

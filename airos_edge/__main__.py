"""`python -m airos_edge`, the same as `airos`."""

import sys

from airos_edge.cli import main

if __name__ == "__main__":
    sys.exit(main())

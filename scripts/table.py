"""`python scripts/table.py <sweep folder>`: the same as `python -m deepcluster_pl.table`."""

import sys

from deepcluster_pl.table import main

if __name__ == "__main__":
    sys.exit(main())

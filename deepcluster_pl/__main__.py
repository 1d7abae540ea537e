"""`python -m deepcluster_pl`."""

from deepcluster_pl.cli import main

if __name__ == "__main__":
    main()

"""`python -m deepcluster_pl`."""

from deepcluster_pl.cli.main import main

if __name__ == "__main__":
    main()

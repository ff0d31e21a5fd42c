"""`python -m reserveproof.witness`, the same as `reserveproof-witness`."""

from .command import main

if __name__ == "__main__":
    main()

"""`python -m reserveproof.verifier`, the same as `reserveproof-verify`."""

from .command import main

if __name__ == "__main__":
    main()

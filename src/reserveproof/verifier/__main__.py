"""`python -m reserveproof.verifier`, the same as `reserveproof-verify`. By Python's own rule, -m takes code from the
current folder: in one that someone else filled, write `python -P -m`."""

from .command import main

if __name__ == "__main__":
    main()

"""`reserveproof` as a program: the guard for an installation without the extra, then the commands."""

from __future__ import annotations

import sys

EXTRA = frozenset(
    {"typer", "rich", "duckdb", "pyarrow", "adbc_driver_manager", "adbc_driver_sqlite",
     "adbc_driver_postgresql", "coincurve", "sha3"}
)  # fmt: skip


def without_extra(error: ModuleNotFoundError) -> int:
    """Say on one line that the extra is missing; the exit status. Raises the error again if that is not why."""
    module = (error.name or "").partition(".")[0]
    if module not in EXTRA:
        raise error
    print(
        f"reserveproof: error: the module {module} is missing; install 'reserveproof[custodian]' "
        "(reserveproof-verify needs no extra)",
        file=sys.stderr,
    )
    return 2


def main() -> None:
    """Run the command line and end the process with its exit status."""
    try:
        from .command import run

        status = run(sys.argv[1:])
    except ModuleNotFoundError as error:
        status = without_extra(error)
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()

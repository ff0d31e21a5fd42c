"""The native kernel, where it is installed: bulk hashing of trees, books and paths (the folder kernel/).

Everything that uses it has a second way in Python that gives the same bytes; `native` is None where only that is there.
"""

from __future__ import annotations

from types import ModuleType

from ..format.errors import UsageError

VERSION = "0.2.0"
"""The kernel that this program was written against; its calls may change with its version."""


def _load() -> ModuleType | None:
    try:
        import reserveproof_kernel
    except ModuleNotFoundError:
        return None
    module: ModuleType = reserveproof_kernel
    return module


native = _load()


def checked() -> ModuleType | None:
    """The kernel, or None where it is not installed. UsageError for one of another version."""
    if native is not None and native.__version__ != VERSION:
        raise UsageError(
            f"the kernel installed is {native.__version__}, and this program needs {VERSION}",
            reason="kernel",
            hint="from the project's folder: pip install ./kernel",
        )
    return native


def described() -> str:
    """What builds the trees, for people."""
    if native is None:
        return "trees are built in Python; the native kernel is not installed (pip install ./kernel)"
    return f"trees are built by the native kernel {native.__version__}"

"""What every test runs under."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

import reserveproof

# The same examples on every run, so that CI never fails by chance; `make long` looks further.
settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", deadline=None, max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

pyz = os.environ.get("RESERVEPROOF_PYZ")
if pyz and Path(pyz).resolve() not in Path(reserveproof.__file__).resolve().parents:
    # The run is meant to test the one-file verifier: it must not fall back on the source folder.
    raise RuntimeError(f"reserveproof comes from {reserveproof.__file__}, not from {pyz}")

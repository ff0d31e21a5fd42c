"""Proof-of-reserves attestations for segregated custody: a generator and a separate verifier."""

__version__ = "0.1.0"

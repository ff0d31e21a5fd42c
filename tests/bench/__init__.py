"""The benchmark: what the issue promises of time, memory and disk, measured on a ledger of millions of lines."""

"""The publisher's side: ledger, trees, register, challenge, statement, signing, publishing and proofs."""

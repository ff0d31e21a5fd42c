"""The witness: sees that a custodian's log only grows, and cosigns what it saw. Over the verifier's checks.

Nothing of the custodian is imported here, and neither custodian nor verifier imports this.
"""

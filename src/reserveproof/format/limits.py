"""Every bound that a reader of foreign bytes enforces, each with its reason.

They bound time and memory before any work is done on hostile input; an honest file is far below each.
"""

MAX_STATEMENT_BYTES = 4 << 20
"""One statement envelope: 1,000 (pool, asset) cells take about 1 MiB with their base64."""

MAX_PROOF_BYTES = 16 << 20
"""One proof file: 256 lines of 48 siblings with the largest inline envelope stay below it."""

MAX_REGISTER_BYTES = 256 << 20
"""One published register: about 400,000 positions."""

MAX_EVIDENCE_BYTES = 1 << 16
"""One evidence file: a signature and the words about one observation."""

MAX_MANIFEST_BYTES = 64 << 20
"""The list of files of a bundle, at most MAX_BUNDLE_FILES of them."""

MAX_BUNDLE_FILES = 400_000
"""Files in one bundle, so that a directory listing stays in memory."""

MAX_TOML_BYTES = 1 << 20
"""A trust policy, a claims file or a custodian's configuration: written by hand."""

MAX_NESTING = 24
"""Nested arrays and objects; the deepest format here uses 10. Below Python's own recursion limit."""

MAX_JSON_CONTAINERS = 4_000_000
"""Arrays and objects in one file: each costs some 60 bytes or more once read, so a file of `[],[],` is refused before
it fills the memory. The largest register has two for each of MAX_ITEMS positions."""

MAX_JSON_COMMAS = 16_000_000
"""Commas in one file, those in strings too: a bound on its values. The largest register has 13 for each position."""

MAX_JSON_INTEGER = 2**53 - 1
"""Largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""

AMOUNT_BOUND = 2**127
"""Every amount and every sum is below it, so that two of them added still fit a u128."""

MAX_DEPTH = 48
"""Levels of a sum tree: 2^48 holders are more than there are people, and a path stays below 4 kB."""

MAX_DECIMALS = 30
"""Decimals of an asset or a form: 10^30 base units of one whole still leave 10^8 whole units."""

MAX_SIGNATURES = 32
"""Signatures on one envelope, counted before any is verified."""

MAX_POOLS = 256
MAX_ASSETS = 1024
MAX_FORMS = 64
"""Grid of one statement: pools, assets, forms an asset."""

MAX_ANCHORS = 64
"""Anchors of one statement: chains on which one custodian holds something."""

OLDEST_ANCHOR_SECONDS = 86_400
"""How long before as_of an anchor may be. The last block at or before it is minutes old on a live chain, hours with a
median of times; never a day."""

MAX_ITEMS = 400_000
"""Entries of any other array: lines of a proof, positions of a register, exclusions."""

MAX_LINES = 4096
"""Lines, and positions, in one client's proof file."""

MAX_TEXT = 2000
"""Characters of one free text."""

MAX_NAME = 200
"""Characters of a name, a title or a contact."""

MAX_NOTE_CHARACTERS = 65_536
"""One signed note: a checkpoint of three lines and some 18 ML-DSA-44 cosignatures, or 32 of Ed25519."""

MAX_NOTE_SIGNATURES = 32
"""Signature lines of one note, counted before any is verified; C2SP signed-note asks for at least 16."""

MAX_LOG_SIZE = 2**53 - 1
"""Entries of one log: an index is a statement's sequence, a JSON integer."""

MAX_LOG_PATH = 53
"""Hashes from an entry to the root of the largest log."""

MAX_CONSISTENCY_PATH = 54
"""Hashes between two roots: one more than the tree has levels."""

INLINE_ENVELOPE_BYTES = 32 << 10
"""Above this size an envelope is given beside the proof files by default, not inside each."""

MAX_TABLE_FIELD = 4096
"""Characters of one field of a table (a ledger, a register) that is read row by row."""

"""The custodian's register of wallets and its anchors, as it hands them in. docs/reference/register-csv.md.

A wallet register says of each (account, form) whose it is, where it stands and what was observed there. What is
malformed is refused by row. What is well-formed but forbidden (a wallet that is the house's and a client's at once)
is left for the rules to fail: a parser that refuses it would hide it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..chains import normalise_account, normalise_form
from ..format import amounts, identifiers, limits, times, vocabulary
from ..format.errors import InputError, MalformedError
from ..format.statement import Anchor, Asset
from ..format.wallet_table import COUNTS, FUNCTIONS, SEGREGATIONS, WalletRow
from .csv_rows import CsvRow, read_bytes, split_rows, tellable

REGISTER_COLUMNS = (
    "account", "form", "pool", "owner_class", "segregation", "client_id", "client_code", "function", "opened",
    "quantity", "height", "hash", "time", "method", "source", "encumbered", "encumbrance", "counts", "excluded",
    "exclusion_reason",
)  # fmt: skip
ANCHOR_COLUMNS = ("chain", "height", "hash", "time")
POOL_CLASSES = frozenset({"client", "shortfall_cover"})
"""Owner classes that stand in a pool. Shortfall cover is the custodian's own, put there to fill a hole."""
OWN_REASONS = frozenset({"no-control", "above-own-balance"})
"""Reasons of exclusion that are found when attesting, so that nobody may type them."""


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One row, in the units of its form. row: its line in the file. asset: what the form counts as here."""

    row: int
    account: str
    form: str
    asset: str
    form_decimals: int
    asset_decimals: int
    pool: str
    owner_class: str
    segregation: str
    client_id: str
    client_code: str
    function: str
    opened: str
    quantity: int
    height: int
    hash: str
    time: str
    method: str
    source: str
    encumbered: int
    encumbrance: str
    counts: str
    excluded: int
    exclusion_reason: str

    @property
    def in_pool(self) -> bool:
        """Whether the row is a position of a pool: it is challenged, and stands in a reserves tree."""
        return bool(self.pool)

    def down(self, quantity: int) -> int:
        """A quantity of the form in the asset's base unit, cut down: what is held."""
        return amounts.convert_down(quantity, self.form_decimals, self.asset_decimals)

    def up(self, quantity: int) -> int:
        """The same, rounded up: what must be taken off."""
        return -amounts.convert_down(-quantity, self.form_decimals, self.asset_decimals)

    def wallet(self) -> WalletRow:
        """The row as the rules and the auditor read it."""
        return WalletRow(
            account=self.account, form=self.form, owner_class=self.owner_class, pool=self.pool,
            client_id=self.client_id, client_code=self.client_code, segregation=self.segregation,
            function=self.function, opened=self.opened, observed=self.down(self.quantity),
            encumbrance=self.encumbrance, encumbered=self.up(self.encumbered), counts=self.counts,
        )  # fmt: skip


Register = tuple[tuple[RegisterRow, ...], tuple[InputError, ...]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One file being read: the registry of assets, the pools, and what was found wrong."""

    file: str
    forms: Mapping[str, tuple[Asset, int]]
    pools: Mapping[str, Collection[str]]
    problems: list[InputError]

    def refuse(self, row: int, column: str, value: str | None, rule: str, hint: str = "") -> None:
        told = tellable(column, value)
        self.problems.append(
            InputError(rule, file=self.file, row=row, column=column, value=told, hint=hint, reason="value")
        )

    def word(self, row: CsvRow, column: str, words: Collection[str]) -> None:
        if row.fields[column] not in words:
            self.refuse(row.row, column, row.fields[column], "is not one of " + ", ".join(sorted(words)))

    def read(self, row: CsvRow) -> RegisterRow | None:
        """The row, or None if anything is wrong with it; all that is wrong is noted."""
        before, found = len(self.problems), row.fields
        asset, form, form_decimals = self._form(row)
        account = self._account(row, form)
        self.word(row, "owner_class", vocabulary.OWNER_CLASSES)
        self.word(row, "segregation", SEGREGATIONS)
        self.word(row, "function", FUNCTIONS)
        self._pool(row, asset)
        self._client(row)
        if found["opened"]:
            self.time(row, "opened", times.parse_date)
        self._observation(row, account)
        quantities = {name: self._quantity(row, name, form_decimals) for name in ("quantity", "encumbered", "excluded")}
        self._taken_off(row, quantities)
        if len(self.problems) > before or asset is None:
            return None
        return RegisterRow(
            row=row.row, account=account, form=form, asset=asset.asset, form_decimals=form_decimals,
            asset_decimals=asset.decimals, pool=found["pool"], owner_class=found["owner_class"],
            segregation=found["segregation"], client_id=found["client_id"], client_code=found["client_code"],
            function=found["function"], opened=found["opened"], quantity=quantities["quantity"],
            height=int(found["height"] or 0), hash=found["hash"], time=found["time"], method=found["method"],
            source=found["source"], encumbered=quantities["encumbered"], encumbrance=found["encumbrance"],
            counts=found["counts"], excluded=quantities["excluded"], exclusion_reason=found["exclusion_reason"],
        )  # fmt: skip

    def _form(self, row: CsvRow) -> tuple[Asset | None, str, int]:
        try:
            form = normalise_form(row.fields["form"])
        except MalformedError as error:
            self.refuse(row.row, "form", row.fields["form"], f"is not a form: {error.message}")
            return None, "", 0
        if form not in self.forms:
            self.refuse(row.row, "form", form, "is a form of no asset of the configuration",
                        hint="list it under the asset that it counts as, with its decimals")  # fmt: skip
            return None, form, 0
        asset, decimals = self.forms[form]
        return asset, form, decimals

    def _account(self, row: CsvRow, form: str) -> str:
        given = row.fields["account"]
        try:
            return normalise_account(given, form if form in self.forms else "")
        except MalformedError as error:
            found = f" (found {error.found})" if error.found and error.found != given else ""
            self.refuse(row.row, "account", given, f"is not an account: {error.message}{found}", hint=error.hint)
            return ""

    def _pool(self, row: CsvRow, asset: Asset | None) -> None:
        pool, owner = row.fields["pool"], row.fields["owner_class"]
        if not pool:
            if owner == "client":
                self.refuse(row.row, "pool", pool, "is empty, and a client wallet stands in a pool")
            return
        if owner not in POOL_CLASSES:
            self.refuse(row.row, "pool", pool, f"is given for a wallet of class {owner}, which stands in no pool")
        elif pool not in self.pools:
            self.refuse(row.row, "pool", pool, "is not a pool of the configuration")
        elif asset is not None and asset.asset not in self.pools[pool]:
            self.refuse(row.row, "pool", pool, f"does not have the asset {asset.asset} in the configuration")

    def _client(self, row: CsvRow) -> None:
        found = row.fields
        if found["client_id"] and not identifiers.CLIENT_ID.fullmatch(found["client_id"]):
            self.refuse(row.row, "client_id", found["client_id"], "is not 1 to 128 printable ASCII characters")
        if not identifiers.CLIENT_CODE.fullmatch(found["client_code"]):
            self.refuse(row.row, "client_code", found["client_code"], "is not 0 to 64 printable ASCII characters")
        if found["client_code"] and not found["client_id"]:
            self.refuse(row.row, "client_code", found["client_code"], "is given without a client_id")
        kind = found["segregation"]
        if kind == "dedicated" and not found["client_id"]:
            self.refuse(row.row, "client_id", "", "is empty, and a dedicated wallet is one client's")
        if kind != "dedicated" and found["client_id"]:
            self.refuse(row.row, "client_id", found["client_id"], f"is given for a wallet whose segregation is {kind}")
        if kind in SEGREGATIONS and bool(found["pool"]) == (kind == "none"):
            rule = "is none for a wallet in a pool" if found["pool"] else "is not none for a wallet in no pool"
            self.refuse(row.row, "segregation", kind, rule)
        if kind == "dedicated" and found["owner_class"] not in ("client", ""):
            self.refuse(row.row, "segregation", kind, f"is dedicated for a wallet of class {found['owner_class']}")

    def time(self, row: CsvRow, column: str, parse: Callable[[object, str], object]) -> None:
        try:
            parse(row.fields[column], column)
        except MalformedError as error:
            self.refuse(row.row, column, row.fields[column], f"is not {error.expected}")

    def _observation(self, row: CsvRow, account: str) -> None:
        self.time(row, "time", times.parse_time)
        self.word(row, "method", vocabulary.METHODS)
        if len(row.fields["source"]) > limits.MAX_TEXT:
            self.refuse(row.row, "source", row.fields["source"], f"is longer than {limits.MAX_TEXT} characters")
        if account.startswith("ref:"):
            if row.fields["height"] not in ("", "0") or row.fields["hash"]:
                self.refuse(row.row, "height", row.fields["height"], "and hash are empty for what stands on no chain")
            return
        _block(self, row)

    def _quantity(self, row: CsvRow, column: str, decimals: int) -> int:
        text = row.fields[column]
        if not text and column != "quantity":
            return 0
        if not text:
            self.refuse(row.row, column, text, "is empty: write 0 where nothing was found")
            return 0
        try:
            return amounts.from_typed(text, decimals, column)
        except MalformedError as error:
            self.refuse(row.row, column, text, f"is not an amount: {error.message}", hint=error.hint)
            return 0

    def _taken_off(self, row: CsvRow, quantities: Mapping[str, int]) -> None:
        found = row.fields
        if quantities["encumbered"]:
            self.word(row, "encumbrance", vocabulary.ENCUMBRANCES)
            self.word(row, "counts", COUNTS)
        else:
            for column in ("encumbrance", "counts"):
                if found[column]:
                    self.refuse(row.row, column, found[column], "is given, and nothing is encumbered")
        reason = found["exclusion_reason"]
        if quantities["excluded"] and not identifiers.SLUG.fullmatch(reason):
            rule = "is not a reason like disputed-title, and something is excluded"
            self.refuse(row.row, "exclusion_reason", reason, rule)
        elif reason in OWN_REASONS:
            self.refuse(row.row, "exclusion_reason", reason, "is a reason that only the attestation gives")
        elif reason and not quantities["excluded"]:
            self.refuse(row.row, "exclusion_reason", reason, "is given, and nothing is excluded")
        if quantities["encumbered"] + quantities["excluded"] > quantities["quantity"]:
            self.refuse(row.row, "encumbered", found["encumbered"], "and excluded are more than the quantity")


def _block(reader: _Reader, row: CsvRow) -> None:
    height, block = row.fields["height"], row.fields["hash"]
    if not (height.isascii() and height.isdecimal() and str(int(height[:20])) == height):
        reader.refuse(row.row, "height", height, "is not a block height")
    elif int(height) > limits.MAX_JSON_INTEGER:
        reader.refuse(row.row, "height", height, "is above 2^53-1")
    if not identifiers.DIGEST.fullmatch(block):
        reader.refuse(row.row, "hash", block, "is not a block hash: 64 lower-case hex digits without 0x")


def read_register(path: Path, *, assets: Collection[Asset], pools: Mapping[str, Collection[str]]) -> Register:
    """The rows of register.csv that are sound, and everything that is wrong with the file.

    assets: the registry. pools: each pool's assets. Rows that are sound each by itself but not together (the same
    position twice, an account in two pools, or of two clients) are in both: rules SEG-02 and SEG-10 can judge them.
    TransportError if the file cannot be read.
    """
    return parse_register(read_bytes(path), file=str(path), assets=assets, pools=pools)


def parse_register(
    data: bytes, *, file: str, assets: Collection[Asset], pools: Mapping[str, Collection[str]]
) -> Register:
    """As read_register, of the file's bytes."""
    try:
        lines = split_rows(data, REGISTER_COLUMNS, file=file)
    except InputError as problem:
        return (), (problem,)
    forms = {form.form: (asset, form.decimals) for asset in assets for form in asset.forms}
    reader = _Reader(file, forms, pools, [])
    rows = tuple(row for row in map(reader.read, lines) if row is not None)
    _together(rows, reader)
    return rows, tuple(sorted(reader.problems, key=lambda problem: problem.row))


def _together(rows: tuple[RegisterRow, ...], reader: _Reader) -> None:
    """What two rows contradict each other in. One account as house's and client's is not here: SEG-01 fails it."""
    seen: dict[tuple[str, str, bool], RegisterRow] = {}
    stands: dict[str, RegisterRow] = {}
    for row in rows:
        key = (row.account, row.form, row.in_pool)
        first = seen.setdefault(key, row)
        if first is not row:
            rule = f"with form {row.form} stands twice: first in row {first.row}"
            reader.refuse(row.row, "account", row.account, rule, hint="two spellings of one account are one account")
        if not row.in_pool:
            continue
        first = stands.setdefault(row.account, row)
        for column, here, there in (
            ("pool", row.pool, first.pool),
            ("segregation", row.segregation, first.segregation),
            ("client_id", row.client_id, first.client_id),
            ("client_code", row.client_code, first.client_code),
        ):
            if here != there:
                told = tellable(column, there)
                rule = f"is not that of row {first.row}, which is the same account"
                rule += "" if told is None else f" ({told!r})"
                reader.refuse(row.row, column, here, rule)


def load_register(
    path: Path, *, assets: Collection[Asset], pools: Mapping[str, Collection[str]]
) -> tuple[RegisterRow, ...]:
    """The rows of a register that nothing is wrong with; InputError, the first one, if something is."""
    rows, problems = read_register(path, assets=assets, pools=pools)
    if problems:
        raise problems[0]
    return rows


def load_anchors(path: Path) -> tuple[Anchor, ...]:
    """The anchors of anchors.csv, ascending by chain. InputError for the first thing that is wrong."""
    return parse_anchors(read_bytes(path, limits.MAX_TOML_BYTES), file=str(path))


def parse_anchors(data: bytes, *, file: str) -> tuple[Anchor, ...]:
    """As load_anchors, of the file's bytes."""
    reader = _Reader(file, {}, {}, [])
    anchors: dict[str, Anchor] = {}
    for row in split_rows(data, ANCHOR_COLUMNS, file=file):
        chain = row.fields["chain"]
        if not identifiers.CHAIN.fullmatch(chain):
            reader.refuse(row.row, "chain", chain, "is not a chain like eip155:1")
        if chain in anchors:
            reader.refuse(row.row, "chain", chain, "stands twice: a chain has one anchor")
        _block(reader, row)
        reader.time(row, "time", times.parse_time)
        if reader.problems:
            raise reader.problems[0]
        if len(anchors) == limits.MAX_ANCHORS:
            reader.refuse(row.row, "chain", chain, f"is one more than the {limits.MAX_ANCHORS} that a statement has")
            raise reader.problems[0]
        anchors[chain] = Anchor(chain, row.fields["hash"], int(row.fields["height"]), row.fields["time"])
    return tuple(anchors[chain] for chain in sorted(anchors))

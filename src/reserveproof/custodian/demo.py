"""The demonstration: a whole life of one snapshot, by the commands that a custodian, a client, the public and an
auditor would type, each run as a process of its own.

A step that does not end as it should ends the demonstration.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..format.amounts import to_typed
from ..format.errors import EvidenceError, UsageError
from . import atomic_files
from .challenge_kit import RESPONSE_COLUMNS, RESPONSES_CSV
from .csv_rows import dump_rows, read_bytes, split_rows
from .demo_config import demo_config
from .demo_world import (
    AUDITOR,
    BANK,
    DECIMALS,
    LETTER,
    OFFICER,
    SILENT_WALLET,
    VAULTS,
    Client,
    World,
    make_world,
    signing_seed,
)

SNAPSHOT = "demo-1"
SHOWN_LINES = 14
"""Lines of a command's answer that the tour repeats from its beginning. The last one, which says how it ended, is
repeated always."""
_PROGRAMS = {"reserveproof": "reserveproof.custodian", "reserveproof-verify": "reserveproof.verifier"}


@dataclass(frozen=True, slots=True)
class Tour:
    """One run of the demonstration. say: prints a line."""

    folder: Path
    world: World
    say: Callable[[str], None]

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def snapshot(self) -> Path:
        return self.workspace / "snapshots" / SNAPSHOT

    def tell(self, text: str) -> None:
        """What comes next, in plain words."""
        self.say("")
        self.say(f"== {text}")

    def run(self, *arguments: str | Path, expect: int = 0, lines: int = SHOWN_LINES) -> str:
        """Run a command as a user would, show it and its answer, and return what it printed.

        EvidenceError if it ends with another exit status than expected.
        """
        words = [str(argument) for argument in arguments]
        self.say("$ " + " ".join(_shown(word) for word in words))
        module = _PROGRAMS[words[0]]
        # Our own interpreter and our own modules, no shell.
        found = subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-m", module, *words[1:]], capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        answer = found.stdout.rstrip("\n").split("\n") if found.stdout else []
        for line in answer[:lines]:
            self.say(f"  {line}".rstrip())
        if len(answer) > lines:
            if len(answer) > lines + 1:
                self.say(f"  … {len(answer) - lines - 1} more lines")
            self.say(f"  {answer[-1]}".rstrip())
        answer = found.stderr.rstrip("\n").split("\n")
        for line in answer if found.stderr else ():
            self.say("  " + line)
        if found.returncode != expect:
            raise EvidenceError(
                f"the demonstration is surprised: exit status {found.returncode} where {expect} was expected",
                reason="surprise", found=" ".join(answer[-1:]),
            )  # fmt: skip
        return found.stdout

    def write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
        atomic_files.write_file(path, data)


def _shown(word: str) -> str:
    return f"'{word}'" if " " in word else word


def demonstrate(folder: Path, *, today: dt.date, say: Callable[[str], None]) -> None:
    """Run the whole tour in a new folder. UsageError if the folder is there and not empty; EvidenceError if any step
    ends otherwise than it should. say: prints a line."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder} is there and not empty", reason="exists", hint="give a new folder")
    with atomic_files.transport(f"make {folder}"):
        folder.mkdir(mode=atomic_files.PRIVATE_FOLDER, parents=True, exist_ok=True)
    tour = Tour(folder, make_world(today), say)
    say("A custodian that does not exist proves its reserves: sixty clients, three pools, real signatures.")
    say("All keys come from a seed that everyone has. They are demo keys: never use them for anything.")
    _prepare(tour)
    _challenge(tour)
    _attest(tour)
    proofs = _publish(tour)
    _verify(tour, proofs)
    _tamper(tour)
    _end(tour)


def _prepare(tour: Tour) -> None:
    tour.tell("The custodian makes its workspace and says who it is, what pools it has, and who signs.")
    inputs, keys = tour.folder / "inputs", tour.folder / "keys"
    tour.run("reserveproof", "init", tour.workspace)
    # Its owner edits custodian.toml; the demonstration writes it whole.
    atomic_files.write_file(tour.workspace / "custodian.toml", demo_config())
    for name in (OFFICER, AUDITOR):
        tour.write(keys / _key_name(name), signing_seed(name).hex().encode("ascii") + b"\n")
    world = tour.world
    for name, data in (
        ("ledger.csv", world.ledger_csv()),
        ("accounts.csv", world.accounts_csv()),
        ("control-totals.csv", world.control_totals_csv()),
        ("prices.csv", world.prices_csv()),
        (LETTER, world.letter()),
    ):
        tour.write(inputs / name, data)
    tour.run("reserveproof", "policy", tour.workspace)
    tour.tell("The snapshot is opened: its secret key is made before anything else.")
    tour.run("reserveproof", "open", tour.workspace, "--as-of", world.as_of, "--id", SNAPSHOT)
    tour.tell("Wallets and blocks were read at the as-of; they are filled in, and everything is checked.")
    tour.write(tour.snapshot / "register.csv", world.register_csv())
    tour.write(tour.snapshot / "anchors.csv", world.anchors_csv())
    given: list[str | Path] = [
        "--ledger", inputs / "ledger.csv", "--accounts", inputs / "accounts.csv",
        "--control-totals", inputs / "control-totals.csv",
    ]  # fmt: skip
    tour.run("reserveproof", "check", tour.workspace, SNAPSHOT, *given)
    tour.tell("The ledger comes in, and a tree is built for each pool and asset: what is owed is now fixed.")
    tour.run("reserveproof", "snapshot", tour.workspace, SNAPSHOT, *given)


def _challenge(tour: Tour) -> None:
    tour.tell("Each wallet in a pool is asked to sign one line, which stands for everything that is owed.")
    kit = tour.folder / "kit"
    tour.run("reserveproof", "challenge", tour.workspace, SNAPSHOT, "--kit", kit, lines=4)
    tour.tell("Their owners sign. One key is lost, and one owner signs the wrong line; the bank writes a letter.")
    shutil.copyfile(tour.folder / "inputs" / LETTER, kit / LETTER)
    wrong = next(wallet for wallet in tour.world.wallets if wallet.label == "trust-eth-1")
    _answer(tour, kit, skip=SILENT_WALLET, wrong=wrong.account)
    path = kit / RESPONSES_CSV
    tour.run("reserveproof", "challenge", tour.workspace, SNAPSHOT, "--import", path, expect=3)
    tour.tell("That one signs again.")
    _answer(tour, kit, skip=SILENT_WALLET)
    tour.run("reserveproof", "challenge", tour.workspace, SNAPSHOT, "--import", path)


def _answer(tour: Tour, kit: Path, *, skip: str, wrong: str = "") -> None:
    """Fill in the kit's responses.csv, as the wallets' owners would."""
    wallets = {wallet.account: wallet for wallet in tour.world.wallets}
    messages = {
        path.read_text("ascii").split(" ")[3].rstrip(","): path.read_text("ascii")
        for path in (kit / "messages").glob("*.text.txt")
    }
    rows = []
    for row in split_rows(read_bytes(kit / RESPONSES_CSV), RESPONSE_COLUMNS, file=RESPONSES_CSV):
        account, scheme = row.fields["account"], row.fields["scheme"]
        wallet, answer = wallets[account], ("", "", "", "")
        if account == BANK:
            answer = ("", LETTER, "Demo Bank", tour.world.as_of[:10])
        elif wallet.label != skip:
            message = messages[account] if account != wrong else "I control nothing in particular"
            answer = (wallet.sign(message), "", "", "")
        rows.append((account, scheme, "text", *answer))
    atomic_files.write_file(kit / RESPONSES_CSV, dump_rows(RESPONSE_COLUMNS, rows))


def _attest(tour: Tour) -> None:
    tour.tell("What is held is counted, every rule is run, and the statement is drafted. Nothing is signed yet.")
    prices = tour.folder / "inputs" / "prices.csv"
    answer = tour.run(
        "reserveproof", "attest", tour.workspace, SNAPSHOT, "--prices", prices, "--no-other-registers", lines=40
    )
    if "verdict: clean" not in answer:
        raise EvidenceError("the demonstration is surprised: its verdict is not clean", reason="surprise")
    keys = tour.folder / "keys"
    tour.tell("An officer signs. From now on the statement's number is taken, and the draft is never made again.")
    tour.run("reserveproof", "sign", tour.workspace, SNAPSHOT, "--key", keys / _key_name(OFFICER))
    tour.tell("The auditor rebuilds everything from the ledger and the snapshot key, and only then signs too.")
    policy = tour.folder / "auditor" / "policy.toml"
    text = (tour.workspace / "policy.toml").read_text("utf-8")
    # The auditor's own policy: its own signature cannot be asked for yet.
    text = text.replace('reserves = "auditor"', 'reserves = "signed"').replace("auditor = 1\n", "")
    tour.write(policy, text.encode("utf-8"))
    _audit(tour, tour.snapshot / "audit" / "draft", policy)
    tour.run("reserveproof", "sign", tour.workspace, SNAPSHOT, "--key", keys / _key_name(AUDITOR))


def _publish(tour: Tour) -> dict[str, Path]:
    tour.tell("The verifier must pass the bundle before it is published.")
    tour.run("reserveproof", "publish", tour.workspace, SNAPSHOT)
    tour.tell("Three clients get their proofs: private files, one each.")
    chosen = _chosen(tour.world)
    proofs = tour.folder / "proofs"
    answer = tour.run(
        "reserveproof", "prove", tour.workspace, SNAPSHOT, *(client.id for client in chosen), "--to", proofs
    )
    found: dict[str, Path] = {}
    for line in answer.splitlines():
        path, _, client = line.rpartition("  ")
        found[client] = Path(path)
    if set(found) != {client.id for client in chosen}:
        raise EvidenceError("the demonstration is surprised: a proof is missing", reason="surprise")
    return found


def _chosen(world: World) -> tuple[Client, ...]:
    """A client of the trust, one with a debit, one with dedicated wallets."""
    plain = next(c for c in world.clients if c.type == "retail" and c.code and c.credit("client-trust", "BTC"))
    debtor = next(c for c in world.clients if any(debit for _, debit in c.rows.values()))
    return plain, debtor, world.clients[0]


def _verify(tour: Tour, proofs: dict[str, Path]) -> None:
    digest = json.loads((tour.snapshot / "published.json").read_text("utf-8"))["payload_sha256"]
    policy, bundle = tour.workspace / "policy.toml", tour.snapshot / "bundle"
    tour.tell("A client reads what the policy demands, and compares its fingerprint with one from elsewhere.")
    tour.run("reserveproof-verify", "policy", policy)
    for client in _chosen(tour.world):
        kind = "with dedicated wallets" if client.credit(VAULTS, "BTC") else "with balances"
        tour.tell(f"A client {kind} checks: id, code, balances and digest come from the client, not from a file.")
        claims = tour.folder / "claims" / f"{client.id}.toml"
        tour.write(claims, _claims(tour, client, digest).encode("utf-8"))
        tour.run("reserveproof-verify", "client", proofs[client.id], "--policy", policy, "--claims", claims, lines=30)
    tour.tell("Anyone checks the bundle: signatures, wallets, reserves and rules.")
    tour.run("reserveproof-verify", "public", bundle, "--policy", policy, "--digest", digest, lines=30)


def _audit(tour: Tour, bundle: Path, policy: Path) -> None:
    audit = tour.snapshot / "audit"
    tour.run(
        "reserveproof-verify", "audit", bundle, "--policy", policy,
        "--snapshot-key", tour.snapshot / "snapshot.key", "--ledger", audit / "extract.tsv",
        "--accounts", audit / "accounts.tsv", "--control-totals", audit / "control-totals.tsv",
        "--wallets", audit / "wallets.tsv", "--register", audit / "register.json", "--evidence", audit / "evidence",
        lines=60,
    )  # fmt: skip


def _claims(tour: Tour, client: Client, digest: str) -> str:
    lines = [f'client_id = "{client.id}"', f'client_code = "{client.code}"', f'digest = "{digest}"']
    own = [wallet.account for wallet in tour.world.wallets if wallet.client is client]
    lines.append("dedicated = [" + ", ".join(f'"{account}"' for account in own) + "]")
    for pool, asset in sorted({(pool, asset) for pool, asset, _ in client.rows}):
        digits = DECIMALS[asset]
        lines += ["", "[[balances]]", f'pool = "{pool}"', f'asset = "{asset}"',
                  f'amount = "{to_typed(client.credit(pool, asset), digits)}"',
                  f'debit = "{to_typed(client.debit(pool, asset), digits)}"']  # fmt: skip
    return "\n".join(lines) + "\n"


def _tamper(tour: Tour) -> None:
    tour.tell("Somebody changes one digit in a copy of the register. The verifier refuses the copy, and says why.")
    copy = tour.folder / "tampered"
    shutil.copytree(tour.snapshot / "bundle", copy)
    path = copy / "register.json"
    text = path.read_text("utf-8")
    at = text.index('"counted":"') + len('"counted":"')
    path.write_text(text[:at] + str(9 if text[at] != "9" else 8) + text[at + 1 :], "utf-8")
    tour.run("reserveproof-verify", "public", copy, "--policy", tour.workspace / "policy.toml", expect=3)


def _key_name(name: str) -> str:
    return name.lower().replace(" ", "-") + ".key"


def _end(tour: Tour) -> None:
    tour.tell("Where things are:")
    for what, path in (
        ("what was handed in", tour.folder / "inputs"),
        ("the custodian's workspace", tour.workspace),
        ("what is published", tour.snapshot / "bundle"),
        ("the trust policy", tour.workspace / "policy.toml"),
        ("for the auditor", tour.snapshot / "audit"),
        ("the clients' proofs and claims", tour.folder / "proofs"),
        ("the copy that was refused", tour.folder / "tampered"),
    ):
        tour.say(f"  {what}: {path}")
    tour.say("demo passed")

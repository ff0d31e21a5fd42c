"""custodian.toml: who the custodian is, what it keeps for whom, and what its statements say beside the numbers.

Written by hand. Exact members, nothing repaired; an error names the member and the rule. docs/reference/config.md.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ..chains import native_decimals, normalise_form
from ..format import identifiers, limits, vocabulary
from ..format.errors import InputError, MalformedError, PolicyError
from ..format.identifiers import chain_of, is_own_coin
from ..format.shape import array, choice, integer, members, pattern, record, text, text_map
from ..format.statement import FORM_ENTRY, Asset, Custodian, Dispute, Form
from ..segregation.profiles import load_profile
from .atomic_files import read_file
from .log_config import LogTerms, parse_log

CONFIG_FILE = "custodian.toml"
RESERVES_STANDARDS = ("register", "auditor", "signed")
PUBLICATIONS = ("log", "digest", "none")
KEY = re.compile(r"ed25519:[0-9a-f]{64}|p256:0[23][0-9a-f]{64}|mldsa44:[0-9a-f]{2624}")
"""A public key as a trust policy spells it; that it is on its curve is for the policy's reader."""


@dataclass(frozen=True, slots=True)
class StatementTerms:
    """What every statement says beside the numbers. valid_days and claim_days: from the day of issue, and from the
    day of the claim."""

    client_id_hint: str
    dispute: Dispute
    valid_days: int
    claim_days: int
    house_note: str
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """A legal arrangement. register: whether its positions are published; min_depth: levels that its liabilities
    trees have at least, so that their depth does not tell how many clients there are."""

    law: str
    legal_form: str
    min_depth: int
    model: str
    pool: str
    profiles: tuple[str, ...]
    register: str
    residue_bps: int
    term: str
    trustee: str


@dataclass(frozen=True, slots=True)
class PolicyTerms:
    """What the trust policy draft asks of a statement. thresholds: role to signers needed."""

    least_assurance: str
    reserves: str
    publication: str
    max_age_days: int
    min_interval_days: int
    thresholds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Signer:
    name: str
    role: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Config:
    """A custodian's configuration; assets and pools ascend by id, forms inside an asset by form. log: None where
    statements are not logged."""

    custodian: Custodian
    statement: StatementTerms
    assets: tuple[Asset, ...]
    pools: tuple[PoolTerms, ...]
    policy: PolicyTerms
    signers: tuple[Signer, ...]
    log: LogTerms | None = None

    @property
    def decimals(self) -> dict[str, int]:
        """Asset id to the digits after its point."""
        return {asset.asset: asset.decimals for asset in self.assets}

    def pool(self, name: str) -> PoolTerms:
        """The pool; MalformedError if it is not configured."""
        for pool in self.pools:
            if pool.pool == name:
                return pool
        raise MalformedError(f"pool {name!r} is not in {CONFIG_FILE}", reason="pool")

    def asset(self, name: str) -> Asset:
        """The asset; MalformedError if it is not configured."""
        for asset in self.assets:
            if asset.asset == name:
                return asset
        raise MalformedError(f"asset {name!r} is not in {CONFIG_FILE}", reason="asset")

    def asset_of_form(self, form: str) -> Asset | None:
        """The asset that a form counts as, or None."""
        return next((asset for asset in self.assets if any(entry.form == form for entry in asset.forms)), None)


def _form(value: object, place: str) -> Form:
    """A form and its decimals; where only its case is wrong, the error says so."""
    try:
        return FORM_ENTRY(value, place)
    except MalformedError as error:
        given = value.get("form") if isinstance(value, dict) else None
        if error.reason == "form" and isinstance(given, str) and given != given.lower():
            with contextlib.suppress(MalformedError):
                error.hint = f"write it in lower case: {normalise_form(given.lower())}"
        raise


_name = text(limits.MAX_NAME)
_role = pattern(identifiers.SLUG)
_TOP = frozenset({"format", "custodian", "statement", "assets", "pools", "policy"})
_STATEMENT_TERMS = frozenset(
    {"client_id_hint", "dispute_contact", "dispute_days", "valid_days", "claim_days", "house_note"}
)
_CUSTODIAN = record(
    Custodian,
    {
        "id": pattern(identifiers.CUSTODIAN_ID),
        "jurisdiction": _name,
        "lei": pattern(identifiers.LEI),
        "licence": _name,
        "name": text(limits.MAX_NAME, empty=False),
    },
)
_ASSET = record(
    Asset,
    {
        "asset": pattern(identifiers.ASSET),
        "decimals": integer(0, limits.MAX_DECIMALS),
        "forms": array(_form, key=None, limit=limits.MAX_FORMS, least=1),
        "kind": choice(vocabulary.ASSET_KINDS),
        "name": _name,
    },
)
_POOL = record(
    PoolTerms,
    {
        "law": _name,
        "legal_form": choice(vocabulary.LEGAL_FORMS),
        "min_depth": integer(0, limits.MAX_DEPTH),
        "model": choice(vocabulary.POOL_MODELS),
        "pool": pattern(identifiers.POOL),
        "profiles": array(pattern(identifiers.SLUG), key=None, limit=16, least=1),
        "register": choice(vocabulary.REGISTERS),
        "residue_bps": integer(0, 10_000),
        "term": choice(vocabulary.TERMS),
        "trustee": _name,
    },
)
_SIGNER = record(
    Signer,
    {
        "name": text(limits.MAX_NAME, empty=False),
        "role": _role,
        "keys": array(pattern(KEY), key=None, limit=2, least=1),
    },
)


def load_config(path: Path) -> Config:
    """The configuration in a file. InputError names what is wrong; TransportError if it cannot be read."""
    return parse_config(read_file(path, limit=limits.MAX_TOML_BYTES), file=str(path))


def parse_config(data: bytes, *, file: str = CONFIG_FILE) -> Config:
    """The configuration in these bytes. file: how errors call it. InputError for anything that is not one."""
    try:
        found = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 at byte {error.start}", file=file, reason="encoding") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"is not TOML: {error}", file=file, reason="syntax") from None
    try:
        return _config(found)
    except InputError:
        raise
    except MalformedError as error:
        parts = [error.message]
        parts += [f"expected {error.expected}"] if error.expected else []
        parts += [f"found {error.found}"] if error.found else []
        raise InputError("; ".join(parts), file=file, reason=error.reason, hint=error.hint) from None


def _config(found: dict[str, object]) -> Config:
    top = members(found, _TOP, "the file", optional=frozenset({"signers", "log"}))
    integer(1, 1)(top["format"], "format")
    signers = array(_SIGNER, key=None, limit=64)(top.get("signers", []), "signers")
    keys = frozenset(key for signer in signers for key in signer.keys)
    config = Config(
        custodian=_CUSTODIAN(top["custodian"], "custodian"),
        statement=_statement(top["statement"]),
        assets=_assets(top["assets"]),
        pools=_pools(top["pools"]),
        policy=_policy(top["policy"]),
        signers=signers,
        log=parse_log(top["log"], keys) if "log" in top else None,
    )
    _unique([signer.name for signer in config.signers], "signers", "name")
    _unique([key for signer in config.signers for key in signer.keys], "signers", "key")
    _check_reserves_can_be_rebuilt(config.policy, config.pools)
    if config.policy.publication == "log" and config.log is None:
        raise MalformedError('policy.publication = "log", and there is no log', reason="publication",
                             hint='add a table [log], or use "digest" or "none"')  # fmt: skip
    return config


def _statement(value: object) -> StatementTerms:
    found = members(value, _STATEMENT_TERMS, "statement", optional=frozenset({"notes"}))
    days = integer(1, 3660)
    return StatementTerms(
        client_id_hint=_name(found["client_id_hint"], "statement.client_id_hint"),
        dispute=Dispute(
            _name(found["dispute_contact"], "statement.dispute_contact"),
            integer(0, 3660)(found["dispute_days"], "statement.dispute_days"),
        ),
        valid_days=days(found["valid_days"], "statement.valid_days"),
        claim_days=days(found["claim_days"], "statement.claim_days"),
        house_note=text()(found["house_note"], "statement.house_note"),
        notes=MappingProxyType(text_map(found.get("notes", {}), "statement.notes")),
    )


def _assets(value: object) -> tuple[Asset, ...]:
    assets = array(_ASSET, key=None, limit=limits.MAX_ASSETS, least=1)(value, "assets")
    _unique([asset.asset for asset in assets], "assets", "asset")
    _unique([entry.form for asset in assets for entry in asset.forms], "assets", "form")
    coins: dict[str, str] = {}
    for asset in assets:
        for entry in asset.forms:
            if is_own_coin(entry.form) and coins.setdefault(chain_of(entry.form), entry.form) != entry.form:
                raise MalformedError(
                    f"assets: {asset.asset}: form {entry.form}: the chain's own coin stands under two forms",
                    reason="form", expected=coins[chain_of(entry.form)],
                )  # fmt: skip
            place = f"assets: {asset.asset}: form {entry.form}"
            if normalise_form(entry.form) != entry.form:
                raise MalformedError(f"{place} is not in its normal form", reason="form",
                                     expected=normalise_form(entry.form))  # fmt: skip
            native = native_decimals(entry.form)
            if native is not None and native != entry.decimals:
                raise MalformedError(f"{place}: decimals are a fact of its chain", reason="native-decimals",
                                     expected=str(native), found=str(entry.decimals))  # fmt: skip
    ordered = (Asset(a.asset, a.decimals, tuple(sorted(a.forms, key=lambda f: f.form)), a.kind, a.name) for a in assets)
    return tuple(sorted(ordered, key=lambda asset: asset.asset))


def _pools(value: object) -> tuple[PoolTerms, ...]:
    pools = array(_pool, key=None, limit=limits.MAX_POOLS, least=1)(value, "pools")
    _unique([pool.pool for pool in pools], "pools", "pool")
    return tuple(sorted(pools, key=lambda pool: pool.pool))


def _pool(value: object, place: str) -> PoolTerms:
    pool = _POOL(value, place)
    _unique(list(pool.profiles), place, "profile")
    for name in pool.profiles:
        try:
            load_profile(name)
        except PolicyError as error:
            raise MalformedError(f"{place}.profiles: {error.message}", reason="profile", expected=error.expected,
                                 found=error.found) from None  # fmt: skip
    return replace(pool, profiles=tuple(sorted(pool.profiles)))


def _policy(value: object) -> PolicyTerms:
    names = frozenset({"least_assurance", "reserves", "publication", "max_age_days", "min_interval_days", "thresholds"})
    found = members(value, names, "policy")
    thresholds = found["thresholds"]
    if not isinstance(thresholds, dict) or not thresholds:
        raise MalformedError("policy.thresholds is not a table from role to number, with one role at least",
                             reason="thresholds")  # fmt: skip
    terms = PolicyTerms(
        least_assurance=choice(vocabulary.ASSURANCE[:-1])(found["least_assurance"], "policy.least_assurance"),
        reserves=choice(RESERVES_STANDARDS)(found["reserves"], "policy.reserves"),
        publication=choice(PUBLICATIONS)(found["publication"], "policy.publication"),
        max_age_days=integer(1, 3660)(found["max_age_days"], "policy.max_age_days"),
        min_interval_days=integer(0, 3660)(found["min_interval_days"], "policy.min_interval_days"),
        thresholds=MappingProxyType(
            {
                _role(role, "policy.thresholds"): integer(1, 32)(number, f"policy.thresholds.{role}")
                for role, number in thresholds.items()
            }
        ),
    )
    if terms.reserves == "auditor" and "auditor" not in terms.thresholds:
        raise MalformedError('policy.reserves = "auditor" needs a threshold for the role auditor', reason="thresholds")
    return terms


def _check_reserves_can_be_rebuilt(policy: PolicyTerms, pools: tuple[PoolTerms, ...]) -> None:
    """Readers who must rebuild the register cannot do so for a blinded one: every client of it would be refused."""
    blinded = [pool.pool for pool in pools if pool.register == "blinded"]
    if policy.reserves == "register" and blinded:
        raise MalformedError(
            f'policy.reserves = "register", but nobody can rebuild the blinded register of {blinded[0]}',
            reason="register", hint='make it public, or use reserves = "auditor" or "signed"',
        )  # fmt: skip


def _unique(values: list[str], place: str, what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise MalformedError(f"{place}: the {what} {value} stands twice", reason="twice")
        seen.add(value)

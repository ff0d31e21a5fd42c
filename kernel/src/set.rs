//! The records of a serving set: one a client, sealed under its token, with blinds and without keys, ids or codes. Every
//! leaf is made anew from what the record will say and compared with the tree, so that no proof of the set can fail.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use rayon::prelude::*;

use crate::Refused;
use crate::book::{CHECK, PLACE, SLOT, SLOTS_A_TASK, check, pieces};
use crate::cell::{KEY, Key, MAX_CODE, MAX_ID, client_key};
use crate::columns::Texts;
use crate::hash::{DIGEST, Digest, Hmac, Message, Midstate, tag};
use crate::line::{LineTags, sums, take_short};
use crate::tree::{ENTRY, Hasher, NODE};

/// Bytes of a token.
pub const TOKEN: usize = 16;

/// The key of a token in a set: a set that is read does not give the tokens away.
pub fn token_key(prefix: &Digest, token: &[u8]) -> Key {
    let mut message = Message::<1>::EMPTY;
    message.push(prefix).push(token);
    message.finish(&Midstate::START)[..KEY].try_into().expect("a digest is longer than a key")
}

/// Bytes that sealing adds to a record.
pub const SEAL: usize = 16;

/// Seals a record under its token: ChaCha20-Poly1305 (RFC 8439) under a key that seals nothing else, so that the nonce can
/// be zero. Who reads the set without tokens reads no record of it.
pub fn seal(prefix: &Digest, token: &[u8], key: &Key, record: &mut Vec<u8>) {
    let mut message = Message::<1>::EMPTY;
    message.push(prefix).push(token);
    let cipher = ChaCha20Poly1305::new(&message.finish(&Midstate::START).into());
    let tag = cipher
        .encrypt_inout_detached(&Nonce::default(), key, record.as_mut_slice().into())
        .expect("a record is far shorter than the cipher's bound");
    record.extend_from_slice(&tag);
}

/// A book as it lies on disk.
pub struct Stored<'a> {
    /// Its slots.
    pub slots: &'a [u8],
    /// Its records.
    pub records: &'a [u8],
}

impl<'a> Stored<'a> {
    fn start(&self, slot: usize) -> u64 {
        match self.slots.get(slot * SLOT + KEY..(slot + 1) * SLOT) {
            Some(bytes) => u64::from_be_bytes(bytes.try_into().expect("eight bytes")),
            None => self.records.len() as u64,
        }
    }

    /// The record of a key without its check; Ok(None) if there is none, refused if it is damaged.
    pub fn record(&self, key: &Key) -> Result<Option<&'a [u8]>, Refused> {
        let (mut low, mut high) = (0, self.slots.len() / SLOT);
        while low < high {
            let middle = (low + high) / 2;
            if self.slots[middle * SLOT..][..KEY] < key[..] { low = middle + 1 } else { high = middle }
        }
        if low == self.slots.len() / SLOT || self.slots[low * SLOT..][..KEY] != key[..] {
            return Ok(None);
        }
        let record = self.records.get(self.start(low) as usize..self.start(low + 1) as usize).ok_or_else(damaged)?;
        let (body, sum) = record.split_at_checked(record.len().wrapping_sub(CHECK)).ok_or_else(damaged)?;
        if check(key, body) != sum {
            return Err(damaged());
        }
        Ok(Some(body))
    }
}

/// The code of a book's record, and what follows it.
fn split_code(record: &[u8]) -> Result<(&[u8], &[u8]), Refused> {
    let (length, rest) = record.split_first().ok_or_else(damaged)?;
    rest.split_at_checked(*length as usize).ok_or_else(damaged)
}

fn damaged() -> Refused {
    Refused("damaged", "a record of the book is damaged".into())
}

/// A tree that leaves are compared with.
pub struct Leaves<'a> {
    /// Of the tree, with its key.
    pub hasher: Hasher,
    /// Level 0 without pads.
    pub nodes: &'a [u8],
}

/// Who a set is made for: columns of one length.
pub struct Clients<'a> {
    /// Client ids.
    pub ids: Texts<'a>,
    /// Their codes.
    pub codes: Texts<'a>,
    /// Their tokens.
    pub tokens: &'a [u8],
    /// The positions dedicated to each, as the proof file has them; empty for none.
    pub positions: Texts<'a>,
}

/// A set whose size is known.
pub struct Set<'a> {
    book: Stored<'a>,
    clients: Clients<'a>,
    index: Hmac,
    order: Vec<(Key, u32)>,
    starts: Vec<u64>,
    /// Bytes of all records.
    pub bytes: u64,
    /// Clients that the book has.
    pub found: u64,
}

impl<'a> Set<'a> {
    /// Finds every client's record. Refused where a client has neither a record nor a position.
    pub fn new(book: Stored<'a>, clients: Clients<'a>, index_key: &Digest) -> Result<Set<'a>, Refused> {
        let rows = clients.ids.len();
        if clients.codes.len() != rows || clients.positions.len() != rows || clients.tokens.len() != rows * TOKEN {
            return Err(Refused("columns", "the columns have not one length".into()));
        }
        let count = u32::try_from(rows).map_err(|_| Refused("size", "more clients than 2^32".into()))?;
        if (0..rows).any(|row| clients.ids.get(row).len() > MAX_ID || clients.codes.get(row).len() > MAX_CODE) {
            return Err(Refused("columns", "a client id or code is longer than the format has".into()));
        }
        let (index, prefix) = (Hmac::new(index_key), tag("token"));
        let mut order: Vec<(Key, u32)> = (0..count)
            .into_par_iter()
            .map(|row| (token_key(&prefix, &clients.tokens[row as usize * TOKEN..][..TOKEN]), row))
            .collect();
        order.par_sort_unstable();
        if order.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Refused("token", "two clients have one token".into()));
        }
        let sizes: Result<Vec<(u64, bool)>, Refused> = order
            .par_iter()
            .map(|(_, row)| {
                let row = *row as usize;
                let positions = clients.positions.get(row).len();
                let Some(record) = book.record(&client_key(&index, clients.ids.get(row)))? else {
                    if positions == 0 {
                        return Err(Refused("client", "a client is in no tree and has no position".into()));
                    }
                    return Ok(((2 + 4 + positions + SEAL) as u64, false));
                };
                let (_, lines) = split_code(record)?;
                let count = lines.first_chunk().map(|count| u16::from_be_bytes(*count)).ok_or_else(damaged)?;
                Ok(((lines.len() + DIGEST * count as usize + 4 + positions + SEAL) as u64, true))
            })
            .collect();
        let (mut starts, mut bytes, mut found) = (Vec::with_capacity(rows), 0, 0);
        for (size, known) in sizes? {
            starts.push(bytes);
            bytes += size;
            found += known as u64;
        }
        Ok(Set { book, clients, index, order, starts, bytes, found })
    }

    /// Fills the slots and the records. Refused where a leaf is not the one that its tree has.
    pub fn write(&self, trees: &[Leaves], slots: &mut [u8], records: &mut [u8]) -> Result<(), Refused> {
        if slots.len() != self.order.len() * SLOT || records.len() as u64 != self.bytes {
            return Err(Refused("size", "a set of another size".into()));
        }
        let (tags, prefix) = (LineTags::default(), tag("token-record"));
        pieces(records, &self.starts)
            .into_par_iter()
            .zip(slots.par_chunks_mut(SLOTS_A_TASK * SLOT))
            .enumerate()
            .try_for_each(|(task, (records, slots))| {
                let first = task * SLOTS_A_TASK;
                let mut record = Vec::new();
                for (at, slot) in slots.chunks_exact_mut(SLOT).enumerate() {
                    let (key, row) = &self.order[first + at];
                    record.clear();
                    self.put(*row as usize, trees, &tags, &mut record)?;
                    seal(&prefix, &self.clients.tokens[*row as usize * TOKEN..][..TOKEN], key, &mut record);
                    slot[..KEY].copy_from_slice(key);
                    slot[KEY..].copy_from_slice(&self.starts[first + at].to_be_bytes());
                    let start = (self.starts[first + at] - self.starts[first]) as usize;
                    records[start..start + record.len()].copy_from_slice(&record);
                }
                Ok(())
            })
    }

    fn put(&self, row: usize, trees: &[Leaves], tags: &LineTags, to: &mut Vec<u8>) -> Result<(), Refused> {
        let (id, code) = (self.clients.ids.get(row), self.clients.codes.get(row));
        match self.book.record(&client_key(&self.index, id))? {
            None => to.extend_from_slice(&[0, 0]),
            Some(record) => {
                let (own, lines) = split_code(record)?;
                if own != code {
                    return Err(Refused("code", "a client has another code in the book".into()));
                }
                self.put_lines(lines, &tags.holder(id, code), trees, tags, to)?;
            }
        }
        let positions = self.clients.positions.get(row);
        to.extend_from_slice(&(positions.len() as u32).to_be_bytes());
        to.extend_from_slice(positions);
        Ok(())
    }

    fn put_lines(
        &self,
        lines: &[u8],
        holder: &Digest,
        trees: &[Leaves],
        tags: &LineTags,
        to: &mut Vec<u8>,
    ) -> Result<(), Refused> {
        let (count, mut rest) = lines.split_at_checked(2).ok_or_else(damaged)?;
        to.extend_from_slice(count);
        let mut buckets = Vec::new();
        for _ in 0..u16::from_be_bytes(count.try_into().expect("two bytes")) {
            let (place, short) = rest.split_at_checked(PLACE).ok_or_else(damaged)?;
            let length = take_short(short, &mut buckets).ok_or_else(damaged)?;
            let tree = trees.get(u16::from_be_bytes([place[0], place[1]]) as usize).ok_or_else(damaged)?;
            let rank = u32::from_be_bytes(place[4..].try_into().expect("four bytes")) as usize;
            let blind = tree.hasher.blind(holder);
            let mut entry = [0; ENTRY];
            entry[..DIGEST].copy_from_slice(holder);
            entry[DIGEST..2 * DIGEST].copy_from_slice(&tags.details(&buckets));
            entry[2 * DIGEST..].copy_from_slice(&sums(&buckets)?.0.to_be_bytes());
            let leaf = tree.hasher.blinded_leaf(&blind, &entry);
            if tree.nodes.get(rank * NODE..(rank + 1) * NODE) != Some(&leaf[..]) {
                return Err(Refused("leaf", "a client's line is not the leaf that its tree has".into()));
            }
            to.extend_from_slice(place);
            to.extend_from_slice(&blind);
            to.extend_from_slice(&short[..length]);
            rest = &short[length..];
        }
        if !rest.is_empty() {
            return Err(damaged());
        }
        Ok(())
    }
}

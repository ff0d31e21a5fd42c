//! The clients of one task, hashed a few at a time: lines to holders, details, keys, blinds and leaves.

use crate::Refused;
use crate::cell::{KEY, Key, MAX_CODE, MAX_ID, Summary};
use crate::hash::{DIGEST, Hmac, LANES, Message, Midstate, finish_all};
use crate::line::{Bucket, LineTags, put_short, sums};
use crate::tree::{ENTRY, Hasher, NODE};

/// What a task gives: parallel columns over its clients.
pub struct Part {
    /// Leaves as they are stored.
    pub leaves: Vec<[u8; NODE]>,
    /// Keys in the book.
    pub keys: Vec<Key>,
    /// Where each client's part of `short` ends.
    pub ends: Vec<u64>,
    /// Code and buckets of one client after the other.
    pub short: Vec<u8>,
    /// Counts and sums.
    pub summary: Summary,
}

/// What lines are hashed with.
pub struct Hashers {
    /// Of the tree.
    pub tree: Hasher,
    /// Of the book's keys.
    pub index: Hmac,
    /// Of holders and details.
    pub tags: LineTags,
}

/// Clients whose messages are written and not hashed yet.
pub struct Waiting<'a> {
    hashers: &'a Hashers,
    part: Part,
    count: usize,
    holders: [Message<4>; LANES],
    details: [Message<2>; LANES],
    keys: [Message<3>; LANES],
    entries: [[u8; ENTRY]; LANES],
}

impl<'a> Waiting<'a> {
    /// Nobody yet. expected: about how many clients will come.
    pub fn new(hashers: &'a Hashers, expected: usize) -> Waiting<'a> {
        let part = Part {
            leaves: Vec::with_capacity(expected),
            keys: Vec::with_capacity(expected),
            ends: Vec::with_capacity(expected),
            short: Vec::with_capacity(40 * expected),
            summary: Summary::default(),
        };
        Waiting {
            hashers,
            part,
            count: 0,
            holders: [const { Message::EMPTY }; LANES],
            details: [const { Message::EMPTY }; LANES],
            keys: [const { Message::EMPTY }; LANES],
            entries: [[0; ENTRY]; LANES],
        }
    }

    /// One client's line. Refused where a sum is not below 2^127, codes of buckets do not ascend, or a text is not of
    /// the format's length.
    pub fn add(&mut self, id: &[u8], code: &[u8], buckets: &[Bucket]) -> Result<(), Refused> {
        if id.is_empty() || id.len() > MAX_ID || code.len() > MAX_CODE {
            return Err(Refused("columns", "a client id or code is not of the format's length".into()));
        }
        let (credit, debit) = sums(buckets)?;
        let (at, tags) = (self.count, &self.hashers.tags);
        tags.put_holder(id, code, &mut self.holders[at]);
        self.keys[at].clear().push(id);
        if buckets.len() == 1 {
            tags.put_details(buckets, &mut self.details[at]);
        } else {
            // A long line is hashed now; an empty message marks its place.
            self.details[at].clear();
            self.entries[at][DIGEST..2 * DIGEST].copy_from_slice(&tags.details(buckets));
        }
        self.entries[at][2 * DIGEST..].copy_from_slice(&credit.to_be_bytes());
        let part = &mut self.part;
        part.short.push(code.len() as u8);
        part.short.extend_from_slice(code);
        put_short(&mut part.short, buckets);
        part.ends.push(part.short.len() as u64);
        part.summary.add(buckets.len() as u64, credit, debit)?;
        self.count += 1;
        if self.count == LANES {
            self.hash();
        }
        Ok(())
    }

    fn hash(&mut self) {
        let count = self.count;
        let mut digests = [[0; DIGEST]; LANES];
        finish_all(&mut self.holders[..count], &Midstate::START, &mut digests);
        for (entry, holder) in self.entries.iter_mut().zip(&digests) {
            entry[..DIGEST].copy_from_slice(holder);
        }
        for (entry, message) in self.entries[..count].iter_mut().zip(&mut self.details) {
            if !message.is_empty() {
                entry[DIGEST..2 * DIGEST].copy_from_slice(&message.finish(&Midstate::START));
            }
        }
        self.hashers.index.digests(&mut self.keys[..count], &mut digests);
        self.part.keys.extend(
            digests[..count]
                .iter()
                .map(|digest| -> Key { *digest.first_chunk::<KEY>().expect("a digest is longer than a key") }),
        );
        let start = self.part.leaves.len();
        self.part.leaves.resize(start + count, [0; NODE]);
        self.hashers.tree.leaves(&self.entries[..count], &mut self.part.leaves[start..]);
        self.count = 0;
    }

    /// All clients were added.
    pub fn finish(mut self) -> Part {
        self.hash();
        self.part
    }
}

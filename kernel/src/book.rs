//! The book of a snapshot: for each client, by a keyed hash of its id, where its leaves stand and what they hold. The
//! layout is said in custodian/client_book.py, which reads it.

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::Refused;
use crate::cell::{KEY, Key, Lines};

/// Bytes of a slot: a key, and where its record starts.
pub const SLOT: usize = KEY + 8;
/// Bytes of a record's check at its end.
pub const CHECK: usize = 8;
/// Bytes of a leaf's place: its tree, its rank.
pub const PLACE: usize = 8;
/// Clients that one task writes.
const TASK: usize = 1024;

/// What stands at the end of a record: damage shows before anything of it is used.
pub fn check(key: &[u8], record: &[u8]) -> [u8; CHECK] {
    Sha256::new().chain_update(key).chain_update(record).finalize()[..CHECK].try_into().expect("eight bytes")
}

/// The lines of all trees, until they are written.
#[derive(Default)]
pub struct Book {
    keys: Vec<Key>,
    places: Vec<(u16, u32)>,
    ends: Vec<u64>,
    short: Vec<u8>,
}

/// A book's lines in its order.
pub struct Arranged<'a> {
    book: &'a Book,
    order: Vec<u64>,
    clients: Vec<Client>,
    /// Bytes of all records.
    pub bytes: u64,
}

struct Client {
    first: usize,
    end: usize,
    start: u64,
}

impl Book {
    /// Adds the leaves of one tree. tree: its number, the same for none before.
    pub fn add(&mut self, tree: u16, ranks: &[u32], lines: &Lines) -> Result<(), Refused> {
        if lines.keys.len() != ranks.len() || lines.ends.len() != ranks.len() {
            return Err(Refused("columns", "a tree has other leaves than lines".into()));
        }
        let start = self.short.len() as u64;
        self.keys.extend_from_slice(&lines.keys);
        self.places.extend(ranks.iter().map(|rank| (tree, *rank)));
        self.ends.extend(lines.ends.iter().map(|end| start + end));
        self.short.extend_from_slice(&lines.short);
        Ok(())
    }

    /// Leaves added.
    pub fn leaves(&self) -> usize {
        self.keys.len()
    }

    fn short(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.short[start..self.ends[row] as usize]
    }

    /// The code and the buckets of a leaf.
    fn parts(&self, row: usize) -> (&[u8], &[u8]) {
        let short = self.short(row);
        short.split_at(1 + short[0] as usize)
    }

    /// Sorts by client, and each client's leaves by tree. Refused where a client has two codes, or two leaves in a tree.
    pub fn arrange(&self) -> Result<Arranged<'_>, Refused> {
        let first_eight = |key: &Key| u64::from_be_bytes(key[..8].try_into().expect("eight bytes"));
        let mut order: Vec<(u64, u64)> =
            (0..self.keys.len()).into_par_iter().map(|row| (first_eight(&self.keys[row]), row as u64)).collect();
        order.par_sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| {
                let of = |row: u64| (self.keys[row as usize], self.places[row as usize].0);
                of(a.1).cmp(&of(b.1))
            })
        });
        let order: Vec<u64> = order.into_par_iter().map(|(_, row)| row).collect();
        // Cut at the first leaf of a client, so that each client falls into one task.
        let key = |at: usize| &self.keys[order[at] as usize];
        let mut ends: Vec<usize> = (0..order.len()).step_by(TASK).collect();
        for end in &mut ends {
            while *end > 0 && *end < order.len() && key(*end) == key(*end - 1) {
                *end += 1;
            }
        }
        ends.push(order.len());
        let found: Result<Vec<Vec<(Client, u64)>>, Refused> =
            ends.par_windows(2).map(|pair| self.clients(&order, pair[0], pair[1])).collect();
        let (mut clients, mut bytes) = (Vec::new(), 0);
        for (mut client, size) in found?.into_iter().flatten() {
            client.start = bytes;
            bytes += size;
            clients.push(client);
        }
        Ok(Arranged { book: self, order, clients, bytes })
    }

    /// The clients of some leaves, each with the size of its record.
    fn clients(&self, order: &[u64], mut at: usize, end: usize) -> Result<Vec<(Client, u64)>, Refused> {
        let mut clients = Vec::new();
        while at < end {
            let (first, row) = (at, order[at] as usize);
            let code = self.parts(row).0;
            let mut size = code.len() + 2 + CHECK;
            while at < end && self.keys[order[at] as usize] == self.keys[row] {
                let here = order[at] as usize;
                let (other, buckets) = self.parts(here);
                if other != code {
                    return Err(Refused("code", "a client has two codes".into()));
                }
                if at > first && self.places[order[at - 1] as usize].0 == self.places[here].0 {
                    return Err(Refused("holder-twice", "a client has two leaves in one tree".into()));
                }
                size += PLACE + buckets.len();
                at += 1;
            }
            clients.push((Client { first, end: at, start: 0 }, size as u64));
        }
        Ok(clients)
    }
}

impl Arranged<'_> {
    /// Clients.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// Fills the slots and the records.
    pub fn write(&self, slots: &mut [u8], records: &mut [u8]) -> Result<(), Refused> {
        if slots.len() != self.clients.len() * SLOT || records.len() as u64 != self.bytes {
            return Err(Refused("size", "a book of another size".into()));
        }
        let starts: Vec<u64> = self.clients.iter().map(|client| client.start).collect();
        pieces(records, &starts).into_par_iter().zip(slots.par_chunks_mut(TASK * SLOT)).enumerate().for_each(
            |(task, (records, slots))| {
                let clients = &self.clients[task * TASK..][..slots.len() / SLOT];
                let (mut record, base) = (Vec::new(), clients[0].start);
                for (client, slot) in clients.iter().zip(slots.chunks_exact_mut(SLOT)) {
                    let row = self.order[client.first] as usize;
                    let key = &self.book.keys[row];
                    record.clear();
                    record.extend_from_slice(self.book.parts(row).0);
                    record.extend_from_slice(&((client.end - client.first) as u16).to_be_bytes());
                    for row in &self.order[client.first..client.end] {
                        let (tree, rank) = self.book.places[*row as usize];
                        record.extend_from_slice(&place(tree, rank));
                        record.extend_from_slice(self.book.parts(*row as usize).1);
                    }
                    let sum = check(key, &record);
                    record.extend_from_slice(&sum);
                    slot[..KEY].copy_from_slice(key);
                    slot[KEY..].copy_from_slice(&client.start.to_be_bytes());
                    records[(client.start - base) as usize..][..record.len()].copy_from_slice(&record);
                }
            },
        );
        Ok(())
    }
}

/// A leaf's place as it is stored: its tree as u16, its rank in six bytes.
pub fn place(tree: u16, rank: u32) -> [u8; PLACE] {
    let mut place = [0; PLACE];
    place[..2].copy_from_slice(&tree.to_be_bytes());
    place[4..].copy_from_slice(&rank.to_be_bytes());
    place
}

/// The bytes that each task of TASK records fills, the records starting at `starts`.
pub fn pieces<'a>(mut records: &'a mut [u8], starts: &[u64]) -> Vec<&'a mut [u8]> {
    let mut found = Vec::new();
    let bounds: Vec<u64> = starts.iter().copied().step_by(TASK).collect();
    for pair in bounds.windows(2) {
        let (piece, rest) = records.split_at_mut((pair[1] - pair[0]) as usize);
        found.push(piece);
        records = rest;
    }
    if !bounds.is_empty() {
        found.push(records);
    }
    found
}

/// Slots of a task, for those that cut by it.
pub const SLOTS_A_TASK: usize = TASK;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[(u8, &str, &[u8])]) -> Lines {
        let mut found = Lines::default();
        for (key, code, buckets) in rows {
            found.keys.push([*key; KEY]);
            found.short.push(code.len() as u8);
            found.short.extend_from_slice(code.as_bytes());
            found.short.extend_from_slice(buckets);
            found.ends.push(found.short.len() as u64);
        }
        found
    }

    #[test]
    fn a_book_in_the_order_of_its_keys() {
        let mut book = Book::default();
        book.add(0, &[1, 0], &lines(&[(9, "c", b"one"), (3, "", b"two")])).unwrap();
        book.add(1, &[70_000], &lines(&[(9, "c", b"three")])).unwrap();
        let arranged = book.arrange().unwrap();
        let (mut slots, mut records) = (vec![0; 2 * SLOT], vec![0; arranged.bytes as usize]);
        arranged.write(&mut slots, &mut records).unwrap();
        let record = |key: u8, body: &[u8]| [body, &check(&[key; KEY], body)].concat();
        let first = record(3, b"\0\0\x01\0\0\0\0\0\0\0\0two");
        let second = record(9, b"\x01c\0\x02\0\0\0\0\0\0\0\x01one\0\x01\0\0\0\x01\x11\x70three");
        assert_eq!(records, [first.clone(), second].concat());
        let mut wanted = [3; KEY].to_vec();
        wanted.extend_from_slice(&0u64.to_be_bytes());
        wanted.extend_from_slice(&[9; KEY]);
        wanted.extend_from_slice(&(first.len() as u64).to_be_bytes());
        assert_eq!(slots, wanted);
    }

    #[test]
    fn two_codes_and_two_leaves_are_refused() {
        for (tree, code, reason) in [(1, "d", "code"), (0, "c", "holder-twice")] {
            let mut book = Book::default();
            book.add(0, &[0], &lines(&[(9, "c", b"x")])).unwrap();
            book.add(tree, &[1], &lines(&[(9, code, b"y")])).unwrap();
            assert_eq!(book.arrange().err().unwrap().0, reason);
        }
        assert!(Book::default().add(0, &[0], &Lines::default()).is_err());
    }

    #[test]
    fn many_clients_are_cut_into_tasks() {
        let count = 2 * TASK + 5;
        let mut made = Lines::default();
        for number in 0..count as u32 {
            let mut key = [0; KEY];
            key[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
            made.keys.push(key);
            made.short.extend_from_slice(&[0, 1]);
            made.ends.push(made.short.len() as u64);
        }
        let mut book = Book::default();
        book.add(0, &(0..count as u32).collect::<Vec<_>>(), &made).unwrap();
        let arranged = book.arrange().unwrap();
        let (mut slots, mut records) = (vec![0; count * SLOT], vec![0; arranged.bytes as usize]);
        arranged.write(&mut slots, &mut records).unwrap();
        for pair in slots.windows(2 * SLOT).step_by(SLOT) {
            assert!(pair[..KEY] < pair[SLOT..SLOT + KEY]);
        }
        for slot in slots.chunks_exact(SLOT) {
            let at = u64::from_be_bytes(slot[KEY..].try_into().unwrap()) as usize;
            let record = &records[at..at + 1 + 2 + PLACE + 1 + CHECK];
            assert_eq!(check(&slot[..KEY], &record[..record.len() - CHECK]), record[record.len() - CHECK..]);
        }
    }
}

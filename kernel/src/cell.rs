//! The liabilities tree of one (pool, asset), or any tree of ready entries, from its rows to its nodes.

use rayon::prelude::*;

use crate::Refused;
use crate::columns::{Amounts, Texts};
use crate::hash::{DIGEST, Digest, Hmac, LANES, Message};
use crate::line::{BUCKETS, Bucket, LineTags};
use crate::part::{Hashers, Part, Waiting};
use crate::tree::{BOUND, ENTRY, Hasher, NODE, check_shape, depth_of, fill_levels, stored_counts, too_large};

/// Bytes of a key in a book.
pub const KEY: usize = 16;
/// A key in a book.
pub type Key = [u8; KEY];
/// The longest client id of the format.
pub const MAX_ID: usize = 128;
/// The longest client code of the format.
pub const MAX_CODE: usize = 64;
/// Rows that one task hashes.
const TASK: usize = 512;

/// The key of a client in the book of a snapshot: a keyed hash of its id, cut.
pub fn client_key(index: &Hmac, id: &[u8]) -> Key {
    let mut message = Message::<3>::EMPTY;
    message.push(id);
    *index.digest(&mut message).first_chunk().expect("a digest is longer than a key")
}

/// What was added to a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Ledger rows.
    pub rows: u64,
    /// Clients with a row.
    pub leaves: u64,
    /// Clients with a credit.
    pub holders: u64,
    /// Base units.
    pub credit: u128,
    /// Base units.
    pub debit: u128,
}

impl Summary {
    /// Counts one leaf. Refused where a sum is not below 2^127.
    pub fn add(&mut self, rows: u64, credit: u128, debit: u128) -> Result<(), Refused> {
        self.merge(&Summary { rows, leaves: 1, holders: (credit > 0) as u64, credit, debit })
    }

    fn merge(&mut self, other: &Summary) -> Result<(), Refused> {
        let sum = |a: u128, b: u128| a.checked_add(b).filter(|sum| *sum < BOUND).ok_or_else(too_large);
        self.credit = sum(self.credit, other.credit)?;
        self.debit = sum(self.debit, other.debit)?;
        self.rows += other.rows;
        self.leaves += other.leaves;
        self.holders += other.holders;
        Ok(())
    }
}

/// What a book keeps of the leaves, in the order of their rows: parallel columns.
#[derive(Default)]
pub struct Lines {
    /// Of the client.
    pub keys: Vec<Key>,
    /// Where its part of `short` ends.
    pub ends: Vec<u64>,
    /// Code and buckets of one leaf after the other.
    pub short: Vec<u8>,
}

/// The client whose rows are not complete yet.
struct Open {
    id: Vec<u8>,
    code: Vec<u8>,
    buckets: Vec<Bucket>,
}

/// One tree that is being built.
pub struct Cell {
    hashers: Hashers,
    open: Option<Open>,
    leaves: Vec<[u8; NODE]>,
    holders: Vec<Digest>,
    lines: Lines,
    summary: Summary,
}

impl Cell {
    /// index_key: of the book that the leaves go into.
    pub fn new(tree_id: &Digest, tree_key: &Digest, index_key: &Digest) -> Cell {
        Cell {
            hashers: Hashers {
                tree: Hasher::new(tree_id, tree_key),
                index: Hmac::new(index_key),
                tags: LineTags::default(),
            },
            open: None,
            leaves: Vec::new(),
            holders: Vec::new(),
            lines: Lines::default(),
            summary: Summary::default(),
        }
    }

    /// What was added so far; the client whose rows may go on is in it once `finish` was called.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Adds ready entries (holder, details, sum), in any order.
    pub fn add_entries(&mut self, entries: &[u8]) -> Result<(), Refused> {
        if !entries.len().is_multiple_of(ENTRY) {
            return Err(Refused("size", "a run of entries is cut".into()));
        }
        for entry in entries.chunks_exact(ENTRY) {
            let credit = u128::from_be_bytes(entry[2 * DIGEST..].try_into().expect("an entry has 80 bytes"));
            self.summary.add(0, credit, 0)?;
            self.holders.push(entry[..DIGEST].try_into().expect("an entry has 80 bytes"));
        }
        let hasher = &self.hashers.tree;
        let start = self.leaves.len();
        self.leaves.resize(start + entries.len() / ENTRY, [0; NODE]);
        entries
            .as_chunks::<ENTRY>()
            .0
            .par_chunks(LANES)
            .zip(self.leaves[start..].par_chunks_mut(LANES))
            .for_each(|(entries, leaves)| hasher.leaves(entries, leaves));
        Ok(())
    }

    /// Adds ledger rows, ascending strictly by (client id, bucket) over all calls.
    ///
    /// Refused where they do not ascend, a client has two codes, or an amount or a sum is not below 2^127.
    pub fn add_lines(
        &mut self,
        ids: Texts,
        codes: Texts,
        buckets: &[u8],
        credits: Amounts,
        debits: Amounts,
    ) -> Result<(), Refused> {
        let rows = buckets.len();
        if [ids.len(), codes.len(), credits.len(), debits.len()] != [rows; 4] {
            return Err(Refused("columns", "the columns have not one length".into()));
        }
        let mut at = 0;
        // Rows that go on where the last call ended.
        if let Some(open) = &mut self.open {
            while at < rows && ids.get(at) == open.id {
                if codes.get(at) != open.code {
                    return Err(two_codes());
                }
                open.buckets.push(Batch { ids, codes, buckets, credits, debits }.bucket(at)?);
                at += 1;
            }
            if at == rows {
                return Ok(());
            }
            if ids.get(at) < open.id.as_slice() {
                return Err(disorder());
            }
            self.close()?;
        }
        if at == rows {
            return Ok(());
        }
        let batch = Batch { ids, codes, buckets, credits, debits };
        // The last client's rows may go on in the next call.
        let mut last = rows - 1;
        while last > at && ids.get(last - 1) == ids.get(rows - 1) {
            last -= 1;
        }
        let tasks = batch.cut(at, last);
        let parts: Result<Vec<Part>, Refused> =
            tasks.par_windows(2).map(|ends| self.part(&batch, at, ends[0], ends[1])).collect();
        for part in parts? {
            self.take(part)?;
        }
        if last > at && ids.get(last) < ids.get(last - 1) {
            return Err(disorder());
        }
        let mut found = Vec::new();
        batch.line(last, rows, &mut found)?;
        self.open = Some(Open { id: ids.get(last).to_vec(), code: codes.get(last).to_vec(), buckets: found });
        Ok(())
    }

    /// Hashes the clients of some rows. start: of the batch's own, before which no row is looked at.
    fn part(&self, batch: &Batch, start: usize, first: usize, end: usize) -> Result<Part, Refused> {
        let (mut waiting, mut found, mut at) =
            (Waiting::new(&self.hashers, end - first), Vec::with_capacity(BUCKETS), first);
        while at < end {
            let group = at;
            if group > start && batch.ids.get(group) < batch.ids.get(group - 1) {
                return Err(disorder());
            }
            at += 1;
            while at < end && batch.ids.get(at) == batch.ids.get(group) {
                at += 1;
            }
            batch.line(group, at, &mut found)?;
            waiting.add(batch.ids.get(group), batch.codes.get(group), &found)?;
        }
        Ok(waiting.finish())
    }

    fn take(&mut self, part: Part) -> Result<(), Refused> {
        self.summary.merge(&part.summary)?;
        let start = self.lines.short.len() as u64;
        self.lines.ends.extend(part.ends.iter().map(|end| start + end));
        self.lines.short.extend_from_slice(&part.short);
        self.lines.keys.extend_from_slice(&part.keys);
        self.leaves.extend_from_slice(&part.leaves);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refused> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let mut waiting = Waiting::new(&self.hashers, 1);
        waiting.add(&open.id, &open.code, &open.buckets)?;
        let part = waiting.finish();
        self.take(part)
    }

    /// All rows were added: the depth and how many nodes of each level will be stored.
    pub fn finish(&mut self, min_depth: u32) -> Result<(u32, Vec<u64>), Refused> {
        self.close()?;
        self.refuse_twins()?;
        let depth = depth_of(self.summary.leaves, min_depth)?;
        Ok((depth, stored_counts(self.summary.leaves, depth)))
    }

    /// A holder stands once. Those of lines do, since their clients ascend strictly.
    fn refuse_twins(&mut self) -> Result<(), Refused> {
        self.holders.par_sort_unstable();
        if self.holders.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refused("holder-twice", "a holder stands twice in a tree".into()));
        }
        Ok(())
    }

    /// Sorts the leaves and fills every level of the finished tree. The root, the total, the rank of each leaf in the
    /// order of its rows, and the lines for the book. What it held is let go.
    pub fn write(&mut self, nodes: &mut [u8], depth: u32) -> Result<(Digest, u128, Vec<u32>, Lines), Refused> {
        let leaves = std::mem::take(&mut self.leaves);
        let count = u32::try_from(leaves.len()).map_err(|_| Refused("size", "more leaves than 2^32".into()))?;
        check_shape(count as u64, depth)?;
        let size: u64 = stored_counts(count as u64, depth).iter().sum();
        if self.open.is_some() || nodes.len() as u64 != size * NODE as u64 {
            return Err(Refused("size", format!("{} bytes for a tree of {size} nodes", nodes.len())));
        }
        // Digests are even over their range: eight bytes of them order nearly all, and are moved at little cost.
        let mut order: Vec<(u64, u32)> =
            (0..count).into_par_iter().map(|row| (first_eight(&leaves[row as usize]), row)).collect();
        order.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| leaves[a.1 as usize].cmp(&leaves[b.1 as usize])));
        nodes[..leaves.len() * NODE]
            .par_chunks_exact_mut(NODE)
            .zip(&order)
            .with_min_len(TASK)
            .for_each(|(node, (_, row))| node.copy_from_slice(&leaves[*row as usize]));
        if nodes[..leaves.len() * NODE]
            .par_windows(2 * NODE)
            .step_by(NODE)
            .any(|two| two[..DIGEST] == two[NODE..][..DIGEST])
        {
            return Err(Refused("holder-twice", "two leaves of a tree are one".into()));
        }
        let mut ranks = vec![0u32; leaves.len()];
        for (rank, (_, row)) in order.iter().enumerate() {
            ranks[*row as usize] = rank as u32;
        }
        drop(order);
        drop(leaves);
        let (root, total) = fill_levels(&self.hashers.tree, nodes, count as u64, depth)?;
        if total != self.summary.credit {
            return Err(Refused("total", "the tree does not add up to its leaves".into()));
        }
        Ok((root, total, ranks, std::mem::take(&mut self.lines)))
    }
}

fn first_eight(leaf: &[u8; NODE]) -> u64 {
    u64::from_be_bytes(leaf[..8].try_into().expect("a leaf has 48 bytes"))
}

/// The rows of one call.
struct Batch<'a> {
    ids: Texts<'a>,
    codes: Texts<'a>,
    buckets: &'a [u8],
    credits: Amounts<'a>,
    debits: Amounts<'a>,
}

impl Batch<'_> {
    /// Where tasks over rows first to end begin and end: at the first row of a client each.
    fn cut(&self, first: usize, end: usize) -> Vec<usize> {
        let mut found = vec![first];
        let mut at = first + TASK;
        while at < end {
            if self.ids.get(at) != self.ids.get(at - 1) {
                found.push(at);
                at += TASK;
            } else {
                at += 1;
            }
        }
        found.push(end);
        found
    }

    fn bucket(&self, row: usize) -> Result<Bucket, Refused> {
        match (self.credits.get(row), self.debits.get(row)) {
            (Some(credit), Some(debit)) => Ok(Bucket { code: self.buckets[row], credit, debit }),
            _ => Err(Refused("sum", "an amount is not below 2^127 base units".into())),
        }
    }

    /// The buckets of one client's rows.
    fn line(&self, first: usize, end: usize, to: &mut Vec<Bucket>) -> Result<(), Refused> {
        to.clear();
        for row in first..end {
            if self.codes.get(row) != self.codes.get(first) {
                return Err(two_codes());
            }
            to.push(self.bucket(row)?);
        }
        Ok(())
    }
}

fn disorder() -> Refused {
    Refused("order", "the rows do not ascend by client".into())
}

fn two_codes() -> Refused {
    Refused("code", "a client has two codes".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row<'a> = (&'a str, &'a str, u8, u128, u128);

    struct Columns {
        texts: [(Vec<u8>, Vec<u8>); 2],
        buckets: Vec<u8>,
        amounts: [Vec<u8>; 2],
    }

    fn columns(rows: &[Row]) -> Columns {
        let mut found = Columns { texts: Default::default(), buckets: vec![], amounts: Default::default() };
        for (offsets, _) in &mut found.texts {
            offsets.extend_from_slice(&0i32.to_ne_bytes());
        }
        for (id, code, bucket, credit, debit) in rows {
            for ((offsets, data), text) in found.texts.iter_mut().zip([id, code]) {
                data.extend_from_slice(text.as_bytes());
                offsets.extend_from_slice(&(data.len() as i32).to_ne_bytes());
            }
            found.buckets.push(*bucket);
            for (to, amount) in found.amounts.iter_mut().zip([credit, debit]) {
                to.extend_from_slice(&amount.to_le_bytes());
                to.extend_from_slice(&[0; 16]);
            }
        }
        found
    }

    fn add(cell: &mut Cell, rows: &[Row]) -> Result<(), Refused> {
        let c = columns(rows);
        cell.add_lines(
            Texts::new(&c.texts[0].0, &c.texts[0].1)?,
            Texts::new(&c.texts[1].0, &c.texts[1].1)?,
            &c.buckets,
            Amounts::new(&c.amounts[0])?,
            Amounts::new(&c.amounts[1])?,
        )
    }

    fn cell() -> Cell {
        Cell::new(&[7; 32], &[42; 32], &[9; 32])
    }

    fn built(cell: &mut Cell) -> (Digest, u128, Vec<u32>, Lines, Vec<u8>) {
        let (depth, counts) = cell.finish(0).unwrap();
        let mut nodes = vec![0; counts.iter().sum::<u64>() as usize * NODE];
        let (root, total, ranks, lines) = cell.write(&mut nodes, depth).unwrap();
        (root, total, ranks, lines, nodes)
    }

    const ROWS: [Row; 6] = [
        ("A", "", 1, 5, 0),
        ("A", "", 10, 1000, 7),
        ("B", "code", 2, 0, 0),
        ("C", "x", 1, 1 << 100, 0),
        ("C", "x", 2, 3, 4),
        ("D", "", 1, 9, 0),
    ];

    #[test]
    fn every_cut_into_calls_gives_one_tree() {
        let mut whole = cell();
        add(&mut whole, &ROWS).unwrap();
        let (root, total, ranks, lines, nodes) = built(&mut whole);
        assert_eq!(total, (1 << 100) + 5 + 1000 + 3 + 9);
        assert_eq!(whole.summary(), Summary { rows: 6, leaves: 4, holders: 3, credit: total, debit: 11 });
        let mut sorted = ranks.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3]);
        for a in 0..=6 {
            for b in a..=6 {
                let mut cut = cell();
                for part in [&ROWS[..a], &ROWS[a..b], &ROWS[b..]] {
                    add(&mut cut, part).unwrap();
                }
                let found = built(&mut cut);
                assert_eq!((found.0, found.1, &found.2, &found.4), (root, total, &ranks, &nodes));
                assert_eq!((&found.3.keys, &found.3.ends, &found.3.short), (&lines.keys, &lines.ends, &lines.short));
            }
        }
    }

    #[test]
    fn what_a_reader_of_the_extract_refuses_is_refused() {
        let long = "x".repeat(MAX_ID + 1);
        let cases: [(&[Row], &str); 10] = [
            (&[("", "", 1, 0, 0)], "columns"),
            (&[(&long, "", 1, 0, 0)], "columns"),
            (&[("A", &long[..MAX_CODE + 1], 1, 0, 0)], "columns"),
            (&[("B", "", 1, 0, 0), ("A", "", 1, 0, 0)], "order"),
            (&[("A", "", 2, 0, 0), ("A", "", 1, 0, 0)], "order"),
            (&[("A", "", 1, 0, 0), ("A", "", 1, 0, 0)], "order"),
            (&[("A", "", 11, 0, 0)], "order"),
            (&[("A", "", 1, 0, 0), ("A", "c", 2, 0, 0)], "code"),
            (&[("A", "", 1, BOUND, 0)], "sum"),
            (&[("A", "", 1, BOUND - 1, 0), ("B", "", 1, 1, 0)], "sum"),
        ];
        for (rows, reason) in cases {
            for cut in 0..rows.len() {
                let mut one = cell();
                let found = add(&mut one, &rows[..cut])
                    .and_then(|()| add(&mut one, &rows[cut..]))
                    .and_then(|()| one.finish(0).map(drop));
                assert_eq!(found.unwrap_err().0, reason, "{rows:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_holder_stands_once() {
        let mut entries = [0; 3 * ENTRY];
        entries[ENTRY] = 1;
        entries[2 * ENTRY + 40] = 1;
        let mut one = cell();
        one.add_entries(&entries).unwrap();
        assert_eq!(one.finish(0).unwrap_err().0, "holder-twice");
    }
}

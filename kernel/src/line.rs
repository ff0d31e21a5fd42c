//! One client's line: its holder, its details, and its short form in a book.

use crate::Refused;
use crate::hash::{Digest, Message, Midstate, tag};
use crate::tree::{BOUND, too_large};

/// Codes of buckets are 1 to this.
pub const BUCKETS: usize = 10;

/// One ledger row of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bucket {
    /// Its code.
    pub code: u8,
    /// Base units.
    pub credit: u128,
    /// Base units.
    pub debit: u128,
}

/// The tags that lines are hashed with.
pub struct LineTags {
    client: Digest,
    line: Digest,
}

impl Default for LineTags {
    fn default() -> Self {
        LineTags { client: tag("client"), line: tag("line") }
    }
}

impl LineTags {
    /// The holder of a client: point 3 of docs/spec/sum-tree.md.
    pub fn holder(&self, id: &[u8], code: &[u8]) -> Digest {
        let mut message = Message::EMPTY;
        self.put_holder(id, code, &mut message);
        message.finish(&Midstate::START)
    }

    /// Writes what the holder is the digest of.
    #[inline]
    pub fn put_holder(&self, id: &[u8], code: &[u8], to: &mut Message<4>) {
        to.clear().put(&self.client).push_prefixed(id).push_prefixed(code);
    }

    /// The details of a line.
    pub fn details(&self, buckets: &[Bucket]) -> Digest {
        let mut message = Message::<6>::EMPTY;
        self.put_details(buckets, &mut message);
        message.finish(&Midstate::START)
    }

    /// Writes what the details are the digest of. A line of one bucket, which is the rule, takes two blocks.
    #[inline]
    pub fn put_details<const BLOCKS: usize>(&self, buckets: &[Bucket], to: &mut Message<BLOCKS>) {
        to.clear().put(&self.line).put(&[buckets.len() as u8]);
        for bucket in buckets {
            to.put(&[bucket.code]).put(&bucket.credit.to_be_bytes()).put(&bucket.debit.to_be_bytes());
        }
    }
}

/// The sum of a line's credits and of its debits. Refused where one is not below 2^127, or codes do not ascend from 1
/// to 10.
pub fn sums(buckets: &[Bucket]) -> Result<(u128, u128), Refused> {
    let (mut credit, mut debit, mut before) = (0u128, 0u128, 0u8);
    for bucket in buckets {
        if bucket.code <= before || bucket.code as usize > BUCKETS {
            return Err(Refused("order", "the buckets of a line do not ascend from 1 to 10".into()));
        }
        before = bucket.code;
        credit = credit.checked_add(bucket.credit).filter(|sum| *sum < BOUND).ok_or_else(too_large)?;
        debit = debit.checked_add(bucket.debit).filter(|sum| *sum < BOUND).ok_or_else(too_large)?;
    }
    Ok((credit, debit))
}

/// Appends the short form: the number of buckets, then of each its code, and credit and debit as a count of bytes and
/// those bytes, big-endian without leading zeros.
pub fn put_short(to: &mut Vec<u8>, buckets: &[Bucket]) {
    to.push(buckets.len() as u8);
    for bucket in buckets {
        to.push(bucket.code);
        for amount in [bucket.credit, bucket.debit] {
            let skip = amount.leading_zeros() as usize / 8;
            to.push(16 - skip as u8);
            to.extend_from_slice(&amount.to_be_bytes()[skip..]);
        }
    }
}

/// Reads a short form; the bytes it took. None if it is none.
pub fn take_short(from: &[u8], buckets: &mut Vec<Bucket>) -> Option<usize> {
    buckets.clear();
    let count = *from.first()?;
    let mut at = 1;
    for _ in 0..count {
        let code = *from.get(at)?;
        at += 1;
        let mut amounts = [0u128; 2];
        for amount in &mut amounts {
            let length = *from.get(at)? as usize;
            let bytes = from.get(at + 1..at + 1 + length)?;
            if length > 16 || bytes.first() == Some(&0) {
                return None;
            }
            *amount = bytes.iter().fold(0, |sum, byte| sum << 8 | *byte as u128);
            at += 1 + length;
        }
        buckets.push(Bucket { code, credit: amounts[0], debit: amounts[1] });
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_read_back() {
        let all: Vec<_> = (1..=10)
            .map(|code| Bucket { code, credit: (BOUND - 1) >> (13 * (code - 1)), debit: (code as u128) << (12 * code) })
            .collect();
        for count in 0..=10 {
            let mut short = vec![9];
            put_short(&mut short, &all[..count]);
            let mut found = vec![Bucket::default()];
            assert_eq!(take_short(&short[1..], &mut found), Some(short.len() - 1));
            assert_eq!(found, all[..count]);
            for cut in 1..short.len() {
                assert_eq!(take_short(&short[1..cut], &mut found), None, "{cut}");
            }
        }
    }

    #[test]
    fn codes_ascend_and_sums_are_bounded() {
        let bucket = |code, credit| Bucket { code, credit, debit: 0 };
        assert_eq!(sums(&[bucket(1, 5), bucket(3, 7)]).unwrap(), (12, 0));
        for wrong in [vec![bucket(0, 0)], vec![bucket(11, 0)], vec![bucket(2, 0), bucket(2, 0)]] {
            assert_eq!(sums(&wrong).unwrap_err().0, "order");
        }
        assert_eq!(sums(&[bucket(1, BOUND - 1), bucket(2, 1)]).unwrap_err().0, "sum");
    }
}

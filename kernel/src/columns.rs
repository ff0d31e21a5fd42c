//! Rows as columns: what Arrow holds, read where it lies.

use crate::Refused;

/// A column of texts: n + 1 offsets as i32 of this machine, and their bytes.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    offsets: &'a [u8],
    data: &'a [u8],
}

impl<'a> Texts<'a> {
    /// Refused unless the offsets ascend and end inside the bytes, so that no later look can fail.
    pub fn new(offsets: &'a [u8], data: &'a [u8]) -> Result<Texts<'a>, Refused> {
        let wrong = || Refused("columns", "the offsets of a column of texts do not fit its bytes".into());
        if offsets.len() < 4 || !offsets.len().is_multiple_of(4) {
            return Err(wrong());
        }
        let texts = Texts { offsets, data };
        let mut before = texts.offset(0);
        if before < 0 {
            return Err(wrong());
        }
        for row in 0..=texts.len() {
            let here = texts.offset(row);
            if here < before || here as usize > data.len() {
                return Err(wrong());
            }
            before = here;
        }
        Ok(texts)
    }

    fn offset(&self, row: usize) -> i32 {
        i32::from_ne_bytes(self.offsets[4 * row..4 * row + 4].try_into().expect("four bytes"))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.offsets.len() / 4 - 1
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a row.
    #[inline]
    pub fn get(&self, row: usize) -> &'a [u8] {
        &self.data[self.offset(row) as usize..self.offset(row + 1) as usize]
    }
}

/// A column of amounts as 256-bit little-endian integers (Arrow's decimal256 of scale 0).
#[derive(Clone, Copy)]
pub struct Amounts<'a>(&'a [u8]);

/// Bytes of one.
const WIDE: usize = 32;

impl<'a> Amounts<'a> {
    /// Refused unless it is whole.
    pub fn new(data: &'a [u8]) -> Result<Amounts<'a>, Refused> {
        if !data.len().is_multiple_of(WIDE) {
            return Err(Refused("columns", "a column of amounts is cut".into()));
        }
        Ok(Amounts(data))
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.0.len() / WIDE
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The amount of a row; None if it is negative or not below 2^127.
    #[inline]
    pub fn get(&self, row: usize) -> Option<u128> {
        let bytes = &self.0[WIDE * row..WIDE * (row + 1)];
        let (low, high) = bytes.split_at(16);
        let amount = u128::from_le_bytes(low.try_into().expect("sixteen bytes"));
        (amount < crate::tree::BOUND && high.iter().all(|byte| *byte == 0)).then_some(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(offsets: &[i32]) -> Vec<u8> {
        offsets.iter().flat_map(|offset| offset.to_ne_bytes()).collect()
    }

    #[test]
    fn texts_are_read_where_they_lie() {
        let offsets = bytes(&[1, 3, 3, 6]);
        let texts = Texts::new(&offsets, b"xabcde").unwrap();
        assert_eq!((0..texts.len()).map(|row| texts.get(row)).collect::<Vec<_>>(), [&b"ab"[..], b"", b"cde"]);
    }

    #[test]
    fn offsets_that_lie_are_refused() {
        for wrong in [&[0, 7][..], &[3, 2], &[-1, 2], &[0, 4, 3, 6]] {
            assert!(Texts::new(&bytes(wrong), b"abcdef").is_err(), "{wrong:?}");
        }
        assert!(Texts::new(&[], b"").is_err());
        assert!(Texts::new(&bytes(&[0, 1])[..7], b"a").is_err());
    }

    #[test]
    fn amounts_are_below_two_to_the_127() {
        let mut wide = [0u8; 3 * WIDE];
        wide[..16].copy_from_slice(&(crate::tree::BOUND - 1).to_le_bytes());
        wide[WIDE..WIDE + 16].copy_from_slice(&crate::tree::BOUND.to_le_bytes());
        wide[2 * WIDE + 16] = 1;
        let amounts = Amounts::new(&wide).unwrap();
        assert_eq!([0, 1, 2].map(|row| amounts.get(row)), [Some(crate::tree::BOUND - 1), None, None]);
        assert!(Amounts::new(&wide[1..]).is_err());
    }
}

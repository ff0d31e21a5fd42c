//! The digests of one sum tree, and its levels in bulk: docs/spec/sum-tree.md, points 3 and 7 to 11.

use rayon::prelude::*;

use crate::Refused;
use crate::hash::{DIGEST, Digest, Hmac, LANES, Message, Midstate, finish_all, tag};

/// Bytes of a node as it is stored: digest, then sum as u128.
pub const NODE: usize = DIGEST + 16;
/// Bytes of a leaf before it is blinded: holder, details, sum.
pub const ENTRY: usize = 2 * DIGEST + 16;
/// Every amount and every sum is below it.
pub const BOUND: u128 = 1 << 127;
/// The deepest tree.
pub const MAX_DEPTH: u32 = 48;
/// Nodes that one task hashes.
const TASK: usize = 4096;

/// What a tree is hashed with.
pub struct Hasher {
    tree_id: Digest,
    leaf: Midstate,
    node: Midstate,
    keyed: Hmac,
}

impl Hasher {
    /// Of a tree's id and key.
    pub fn new(tree_id: &Digest, tree_key: &Digest) -> Hasher {
        let prefix = |name: &str| {
            let mut block = [0; 64];
            block[..DIGEST].copy_from_slice(&tag(name));
            block[DIGEST..].copy_from_slice(tree_id);
            Midstate::after(&block)
        };
        Hasher { tree_id: *tree_id, leaf: prefix("leaf"), node: prefix("node"), keyed: Hmac::new(tree_key) }
    }

    /// The blind of a holder.
    #[inline]
    pub fn blind(&self, holder: &Digest) -> Digest {
        let mut message = Message::<1>::EMPTY;
        message.put(&[0]).put(holder);
        self.keyed.digest(&mut message)
    }

    /// The leaf of an entry whose blind is known.
    #[inline]
    pub fn blinded_leaf(&self, blind: &Digest, entry: &[u8; ENTRY]) -> [u8; NODE] {
        let mut message = Message::<2>::EMPTY;
        message.put(blind).put(entry);
        joined(&message.finish(&self.leaf), entry.last_chunk().expect("an entry ends with a sum"))
    }

    /// The node at a level over two stored nodes; None if its sum is not below 2^127.
    #[inline]
    pub fn node(&self, level: u32, left: &[u8; NODE], right: &[u8; NODE]) -> Option<[u8; NODE]> {
        let sum = sum_of(left).checked_add(sum_of(right)).filter(|sum| *sum < BOUND)?;
        let mut message = Message::<2>::EMPTY;
        message.put(&[level as u8]).put(left).put(right);
        Some(joined(&message.finish(&self.node), &sum.to_be_bytes()))
    }

    /// The leaves of up to LANES entries, as they are stored.
    pub fn leaves(&self, entries: &[[u8; ENTRY]], to: &mut [[u8; NODE]]) {
        let mut blinds = [const { Message::<1>::EMPTY }; LANES];
        let mut leaves = [const { Message::<2>::EMPTY }; LANES];
        let mut digests = [[0; DIGEST]; LANES];
        for (message, entry) in blinds.iter_mut().zip(entries) {
            message.put(&[0]).put::<DIGEST>(entry.first_chunk().expect("an entry begins with a digest"));
        }
        self.keyed.digests(&mut blinds[..entries.len()], &mut digests);
        for ((message, blind), entry) in leaves.iter_mut().zip(&digests).zip(entries) {
            message.put(blind).put(entry);
        }
        finish_all(&mut leaves[..entries.len()], &self.leaf, &mut digests);
        for ((leaf, digest), entry) in to.iter_mut().zip(&digests).zip(entries) {
            *leaf = joined(digest, entry.last_chunk().expect("an entry ends with a sum"));
        }
    }

    /// The nodes at a level over up to LANES pairs of stored nodes; None if a sum is not below 2^127.
    #[inline]
    fn nodes(&self, level: u32, below: &[[u8; NODE]], parents: &mut [[u8; NODE]]) -> Option<()> {
        let mut messages = [const { Message::<2>::EMPTY }; LANES];
        for ((pair, parent), message) in below.chunks_exact(2).zip(&mut *parents).zip(&mut messages) {
            let sum = sum_of(&pair[0]).checked_add(sum_of(&pair[1])).filter(|sum| *sum < BOUND)?;
            message.put(&[level as u8]).put(&pair[0]).put(&pair[1]);
            parent[DIGEST..].copy_from_slice(&sum.to_be_bytes());
        }
        let mut digests = [[0; DIGEST]; LANES];
        finish_all(&mut messages[..parents.len()], &self.node, &mut digests);
        for (parent, digest) in parents.iter_mut().zip(&digests) {
            parent[..DIGEST].copy_from_slice(digest);
        }
        Some(())
    }

    /// The pad at (level, index).
    pub fn pad(&self, level: u32, index: u64) -> [u8; NODE] {
        let mut message = Message::<1>::EMPTY;
        message.push(&[1, level as u8]).push(&index.to_be_bytes());
        joined(&self.keyed.digest(&mut message), &[0; 16])
    }

    /// The root above the node at (depth, 0).
    pub fn root(&self, depth: u32, top: &[u8]) -> Digest {
        let mut message = Message::<3>::EMPTY;
        message.push(&tag("root")).push(&self.tree_id).push(&[depth as u8]).push(top);
        message.finish(&Midstate::START)
    }
}

#[inline]
fn joined(digest: &Digest, sum: &[u8; 16]) -> [u8; NODE] {
    let mut node = [0; NODE];
    node[..DIGEST].copy_from_slice(digest);
    node[DIGEST..].copy_from_slice(sum);
    node
}

/// The sum of a stored node.
#[inline]
pub fn sum_of(node: &[u8]) -> u128 {
    u128::from_be_bytes(node[DIGEST..NODE].try_into().expect("a node has 48 bytes"))
}

/// Levels above the leaves: point 8. Refused above MAX_DEPTH.
pub fn depth_of(leaves: u64, min_depth: u32) -> Result<u32, Refused> {
    let needed = if leaves > 1 { u64::BITS - (leaves - 1).leading_zeros() } else { 0 };
    let depth = needed.max(min_depth);
    if depth > MAX_DEPTH {
        return Err(Refused("depth", format!("the tree has {depth} levels")));
    }
    Ok(depth)
}

/// Refused unless so many leaves fit a tree of that depth, which is none that the format refuses: what counts and offsets
/// are computed from.
pub fn check_shape(leaves: u64, depth: u32) -> Result<(), Refused> {
    if depth > MAX_DEPTH || leaves > 1 << depth {
        return Err(Refused("depth", format!("{leaves} leaves in a tree of depth {depth}")));
    }
    Ok(())
}

/// How many nodes of each level are stored, from level 0 to depth: those that cover a leaf, with the pad beside an odd
/// last one. A tree of no leaf is one pad. The shape was checked.
pub fn stored_counts(leaves: u64, depth: u32) -> Vec<u64> {
    (0..=depth)
        .map(|level| match (leaves, level == depth) {
            (_, true) => 1,
            (0, false) => 0,
            _ => leaves.div_ceil(1 << level).next_multiple_of(2),
        })
        .collect()
}

/// Fills every level above the leaves, and all pads.
///
/// nodes: the levels one after the other, of stored_counts; level 0 holds the leaves, ascending by digest. Gives the
/// root and the total. Refused where a sum is not below 2^127.
pub fn fill_levels(hasher: &Hasher, nodes: &mut [u8], leaves: u64, depth: u32) -> Result<(Digest, u128), Refused> {
    check_shape(leaves, depth)?;
    let counts = stored_counts(leaves, depth);
    let size: u64 = counts.iter().sum();
    if nodes.len() as u64 != size * NODE as u64 {
        return Err(Refused("size", format!("{} bytes for a tree of {size} nodes", nodes.len())));
    }
    let mut rest = nodes;
    for level in 0..depth {
        let covering = leaves.div_ceil(1 << level);
        let (below, above) = rest.split_at_mut(counts[level as usize] as usize * NODE);
        if covering % 2 == 1 {
            below[covering as usize * NODE..].copy_from_slice(&hasher.pad(level, covering));
        }
        if covering > 0 {
            // Above the leaves a level has half as many nodes; its own pad is set when its turn comes.
            let parents = &mut above[..below.len() / 2];
            parents.par_chunks_mut(TASK * NODE).zip(below.par_chunks(2 * TASK * NODE)).try_for_each(
                |(parents, below)| {
                    let (below, _) = below.as_chunks::<NODE>();
                    let (parents, _) = parents.as_chunks_mut::<NODE>();
                    for (parents, below) in parents.chunks_mut(LANES).zip(below.chunks(2 * LANES)) {
                        hasher.nodes(level + 1, below, parents).ok_or_else(too_large)?;
                    }
                    Ok(())
                },
            )?;
        }
        rest = above;
    }
    if leaves == 0 {
        rest.copy_from_slice(&hasher.pad(depth, 0));
    }
    let sum = sum_of(rest);
    if sum >= BOUND {
        return Err(too_large());
    }
    Ok((hasher.root(depth, rest), sum))
}

/// Why a tree is refused whose sum is not below the bound.
pub fn too_large() -> Refused {
    Refused("sum", "the tree's total is not below 2^127 base units".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Hasher {
        Hasher::new(&[7; 32], &[42; 32])
    }

    fn leaf(number: u64, amount: u128) -> [u8; NODE] {
        let mut entry = [0; ENTRY];
        entry[..8].copy_from_slice(&number.to_be_bytes());
        entry[2 * DIGEST..].copy_from_slice(&amount.to_be_bytes());
        let mut leaf = [[0; NODE]];
        hasher().leaves(&[entry], &mut leaf);
        leaf[0]
    }

    /// The node at (level, index), by recursion from the spec's point 9 and 10.
    fn reference(leaves: &[[u8; NODE]], level: u32, index: u64) -> [u8; NODE] {
        let first = (index as u128) << level;
        if first >= leaves.len() as u128 {
            return hasher().pad(level, index);
        }
        if level == 0 {
            return leaves[index as usize];
        }
        let (left, right) = (reference(leaves, level - 1, 2 * index), reference(leaves, level - 1, 2 * index + 1));
        hasher().node(level, &left, &right).unwrap()
    }

    #[test]
    fn every_small_tree_as_by_recursion() {
        for leaves in 0..70u64 {
            for min_depth in [0, 3, 9] {
                let depth = depth_of(leaves, min_depth).unwrap();
                let mut made: Vec<_> = (0..leaves).map(|n| leaf(n, n as u128 * 3)).collect();
                made.sort_unstable();
                let counts = stored_counts(leaves, depth);
                let mut nodes = vec![0; counts.iter().sum::<u64>() as usize * NODE];
                nodes[..made.len() * NODE].copy_from_slice(made.as_flattened());
                let (root, total) = fill_levels(&hasher(), &mut nodes, leaves, depth).unwrap();
                let top = reference(&made, depth, 0);
                assert_eq!(root, hasher().root(depth, &top), "{leaves} {min_depth}");
                assert_eq!(total, (0..leaves as u128).map(|n| n * 3).sum::<u128>());
                let mut at = 0;
                for (level, count) in counts.iter().enumerate() {
                    for index in 0..*count {
                        assert_eq!(nodes[at..at + NODE], reference(&made, level as u32, index));
                        at += NODE;
                    }
                }
            }
        }
    }

    #[test]
    fn a_sum_of_two_to_the_127_is_refused() {
        for (amounts, fits) in [([BOUND / 2, BOUND / 2 - 1], true), ([BOUND / 2, BOUND / 2], false)] {
            let mut nodes = vec![0; 3 * NODE];
            for (number, amount) in amounts.into_iter().enumerate() {
                nodes[number * NODE..][..NODE].copy_from_slice(&leaf(number as u64, amount));
            }
            assert_eq!(fill_levels(&hasher(), &mut nodes, 2, 1).is_ok(), fits);
        }
    }

    #[test]
    fn depths() {
        let found: Vec<_> = [0, 1, 2, 3, 4, 5, 8, 9].iter().map(|n| depth_of(*n, 0).unwrap()).collect();
        assert_eq!(found, [0, 0, 1, 2, 2, 3, 3, 4]);
        assert_eq!(depth_of(3, 48).unwrap(), 48);
        assert!(depth_of(3, 49).is_err());
    }

    #[test]
    fn a_buffer_of_another_size_is_refused() {
        assert!(fill_levels(&hasher(), &mut [0; NODE], 2, 1).is_err());
    }
}

//! The path of one leaf, folded to the root and written as the proof file has it.

use crate::Refused;
use crate::hash::Digest;
use crate::tree::{Hasher, NODE, check_shape, stored_counts, sum_of};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A stored tree whose paths are asked for.
pub struct Paths {
    hasher: Hasher,
    starts: Vec<usize>,
    leaves: u64,
    depth: u32,
    size: usize,
}

/// A path that leads to `root`.
pub struct Path {
    /// The leaf as it is stored.
    pub leaf: [u8; NODE],
    /// What it and its siblings lead to.
    pub root: Digest,
    /// The siblings as canonical JSON: an array of [digest, sum].
    pub json: Vec<u8>,
}

impl Paths {
    /// Of a tree's id, its leaves and its depth; the key of a tree is not needed for paths.
    pub fn new(tree_id: &Digest, leaves: u64, depth: u32) -> Result<Paths, Refused> {
        check_shape(leaves, depth)?;
        let mut starts = vec![0];
        for count in stored_counts(leaves, depth) {
            starts.push(starts[starts.len() - 1] + count as usize * NODE);
        }
        let size = starts.pop().expect("a tree has a level");
        Ok(Paths { hasher: Hasher::new(tree_id, &[0; 32]), starts, leaves, depth, size })
    }

    /// Bytes of its nodes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The path of the leaf with a rank, folded. Refused where there is none, or a sum is not below 2^127.
    pub fn prove(&self, nodes: &[u8], index: u64) -> Result<Path, Refused> {
        if nodes.len() != self.size || index >= self.leaves {
            return Err(Refused("index", format!("no leaf of rank {index}")));
        }
        let at = |level: u32, index: u64| -> &[u8; NODE] {
            let start = self.starts[level as usize] + index as usize * NODE;
            nodes[start..start + NODE].try_into().expect("a node has 48 bytes")
        };
        let leaf = *at(0, index);
        let (mut node, mut json) = (leaf, Vec::with_capacity(self.depth as usize * 96 + 2));
        json.push(b'[');
        for level in 0..self.depth {
            let here = index >> level;
            let sibling = at(level, here ^ 1);
            if level > 0 {
                json.push(b',');
            }
            put_node(&mut json, sibling);
            let (left, right) = if here & 1 == 1 { (sibling, &node) } else { (&node, sibling) };
            node = self.hasher.node(level + 1, left, right).ok_or_else(crate::tree::too_large)?;
        }
        json.push(b']');
        Ok(Path { leaf, root: self.hasher.root(self.depth, &node), json })
    }
}

fn put_node(json: &mut Vec<u8>, node: &[u8]) {
    json.extend_from_slice(b"[\"");
    for byte in &node[..32] {
        json.push(HEX[(byte >> 4) as usize]);
        json.push(HEX[(byte & 15) as usize]);
    }
    json.extend_from_slice(b"\",\"");
    json.extend_from_slice(sum_of(node).to_string().as_bytes());
    json.extend_from_slice(b"\"]");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::fill_levels;

    #[test]
    fn every_path_of_a_small_tree_leads_to_its_root() {
        let hasher = Hasher::new(&[7; 32], &[42; 32]);
        for (leaves, depth) in [(1, 0), (1, 3), (2, 1), (5, 3), (9, 4), (9, 6)] {
            let paths = Paths::new(&[7; 32], leaves, depth).unwrap();
            let mut nodes = vec![0; paths.size()];
            for (number, node) in nodes.chunks_exact_mut(NODE).take(leaves as usize).enumerate() {
                node[0] = number as u8;
                node[NODE - 1] = 1;
            }
            let (root, _) = fill_levels(&hasher, &mut nodes, leaves, depth).unwrap();
            for index in 0..leaves {
                let path = paths.prove(&nodes, index).unwrap();
                assert_eq!(path.root, root);
                assert_eq!(String::from_utf8(path.json).unwrap(), written(&nodes, leaves, depth, index));
            }
            assert!(paths.prove(&nodes, leaves).is_err());
            assert!(paths.prove(&nodes[1..], 0).is_err());
            nodes[0] ^= 1;
            assert_ne!(paths.prove(&nodes, 0).unwrap().root, root);
        }
    }

    /// The path from the spec's point 12, in text.
    fn written(nodes: &[u8], leaves: u64, depth: u32, index: u64) -> String {
        let counts = stored_counts(leaves, depth);
        let siblings = (0..depth).map(|level| {
            let before: u64 = counts[..level as usize].iter().sum();
            let node = &nodes[(before + (index >> level ^ 1)) as usize * NODE..][..NODE];
            let hex: String = node[..32].iter().map(|byte| format!("{byte:02x}")).collect();
            format!("[\"{hex}\",\"{}\"]", sum_of(node))
        });
        format!("[{}]", siblings.collect::<Vec<_>>().join(","))
    }
}

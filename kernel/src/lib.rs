//! Bulk hashing of reserveproof's sum trees: lines to leaves to nodes, books of lines, and paths, over buffers that
//! the caller holds. No parsing, no input or output, no policy: docs/decisions/0023-a-native-kernel-beside-the-oracle.md.

pub mod book;
pub mod cell;
pub mod columns;
pub mod hash;
pub mod line;
pub mod part;
pub mod paths;
pub mod set;
pub mod tree;

#[cfg(feature = "python")]
mod python;

/// Why work was refused: a word that programs compare, and a sentence.
#[derive(Debug)]
pub struct Refused(pub &'static str, pub String);

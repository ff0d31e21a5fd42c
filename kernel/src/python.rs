//! What Python sees. Buffers are read and written where they lie, with the interpreter's lock let go; who hands one in
//! does not touch it until the call ends.

use std::sync::Mutex;

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::Refused;
use crate::book::Book;
use crate::cell::Cell;
use crate::columns::{Amounts, Texts};
use crate::hash::Digest;
use crate::paths::Paths;
use crate::set::{Clients, Leaves, Set, Stored};
use crate::tree::{Hasher, NODE, check_shape, fill_levels, stored_counts};

impl From<Refused> for PyErr {
    /// ValueError(reason, sentence).
    fn from(refused: Refused) -> PyErr {
        PyValueError::new_err((refused.0, refused.1))
    }
}

/// Bytes that Python holds; the buffer is kept for as long as this lives.
struct Held(PyBuffer<u8>);

// The memory is pinned by the buffer export, and only its address is used without the lock.
unsafe impl Send for Held {}
unsafe impl Sync for Held {}

impl Held {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Held> {
        let buffer = PyBuffer::<u8>::get(object)?;
        if !buffer.is_c_contiguous() {
            return Err(PyBufferError::new_err("a buffer is not contiguous"));
        }
        Ok(Held(buffer))
    }

    fn bytes(&self) -> &[u8] {
        if self.0.len_bytes() == 0 {
            return &[];
        }
        // SAFETY: contiguous and pinned; the caller leaves it alone during the call, as the module says.
        unsafe { std::slice::from_raw_parts(self.0.buf_ptr() as *const u8, self.0.len_bytes()) }
    }
}

/// Bytes of Python's that a call fills.
struct Filled(Held);

impl Filled {
    fn of(object: &Bound<'_, PyAny>) -> PyResult<Filled> {
        let held = Held::of(object)?;
        if held.0.readonly() {
            return Err(PyBufferError::new_err("a buffer to fill is read-only"));
        }
        Ok(Filled(held))
    }

    fn bytes(&mut self) -> &mut [u8] {
        if self.0.0.len_bytes() == 0 {
            return &mut [];
        }
        // SAFETY: as above; writable, and borrowed once.
        unsafe { std::slice::from_raw_parts_mut(self.0.0.buf_ptr() as *mut u8, self.0.0.len_bytes()) }
    }
}

fn digest(data: &[u8]) -> PyResult<Digest> {
    data.try_into().map_err(|_| PyValueError::new_err(("size", "a key, an id or a digest has 32 bytes")))
}

/// One tree that is being built: rows or entries in, nodes out.
#[pyclass(name = "Cell", module = "reserveproof_kernel", frozen)]
struct PyCell(Mutex<Cell>);

#[pymethods]
impl PyCell {
    #[new]
    fn new(tree_id: &[u8], tree_key: &[u8], index_key: &[u8]) -> PyResult<PyCell> {
        Ok(PyCell(Mutex::new(Cell::new(&digest(tree_id)?, &digest(tree_key)?, &digest(index_key)?))))
    }

    /// Add ledger rows, ascending strictly by (client id, bucket) over all calls.
    ///
    /// id_offsets, code_offsets: n + 1 i32; buckets: n bytes; credits, debits: n 256-bit little-endian integers.
    #[allow(clippy::too_many_arguments)]
    fn add_lines(
        &self,
        py: Python<'_>,
        id_offsets: &Bound<'_, PyAny>,
        ids: &Bound<'_, PyAny>,
        code_offsets: &Bound<'_, PyAny>,
        codes: &Bound<'_, PyAny>,
        buckets: &Bound<'_, PyAny>,
        credits: &Bound<'_, PyAny>,
        debits: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let held = [id_offsets, ids, code_offsets, codes, buckets, credits, debits].map(Held::of);
        let [a, b, c, d, e, f, g] = held;
        let (a, b, c, d, e, f, g) = (a?, b?, c?, d?, e?, f?, g?);
        py.detach(|| {
            let ids = Texts::new(a.bytes(), b.bytes())?;
            let codes = Texts::new(c.bytes(), d.bytes())?;
            let (credits, debits) = (Amounts::new(f.bytes())?, Amounts::new(g.bytes())?);
            self.0.lock().expect("not poisoned").add_lines(ids, codes, e.bytes(), credits, debits)
        })?;
        Ok(())
    }

    /// Add ready entries of 80 bytes, in any order.
    fn add_entries(&self, py: Python<'_>, entries: &Bound<'_, PyAny>) -> PyResult<()> {
        let entries = Held::of(entries)?;
        py.detach(|| self.0.lock().expect("not poisoned").add_entries(entries.bytes()))?;
        Ok(())
    }

    /// All rows were added: the depth, and how many nodes of each level are stored.
    fn finish(&self, py: Python<'_>, min_depth: u32) -> PyResult<(u32, Vec<u64>)> {
        Ok(py.detach(|| self.0.lock().expect("not poisoned").finish(min_depth))?)
    }

    /// (rows, leaves, holders, credit, debit).
    fn summary(&self) -> (u64, u64, u64, u128, u128) {
        let found = self.0.lock().expect("not poisoned").summary();
        (found.rows, found.leaves, found.holders, found.credit, found.debit)
    }

    /// Sort the leaves and fill all nodes; (root, total). book: takes the lines, under the tree's number.
    #[pyo3(signature = (nodes, depth, book=None, tree=0))]
    fn write<'py>(
        &self,
        py: Python<'py>,
        nodes: &Bound<'py, PyAny>,
        depth: u32,
        book: Option<&Bound<'py, PyBook>>,
        tree: u16,
    ) -> PyResult<(Bound<'py, PyBytes>, u128)> {
        let mut nodes = Filled::of(nodes)?;
        let book = book.map(|book| book.get());
        let (root, total) = py.detach(|| {
            let (root, total, ranks, lines) = self.0.lock().expect("not poisoned").write(nodes.bytes(), depth)?;
            if let Some(book) = book {
                book.0.lock().expect("not poisoned").add(tree, &ranks, &lines)?;
            }
            Ok::<_, Refused>((root, total))
        })?;
        Ok((PyBytes::new(py, &root), total))
    }
}

/// The lines of all trees of a snapshot, by client.
#[pyclass(name = "Book", module = "reserveproof_kernel", frozen)]
struct PyBook(Mutex<Book>);

#[pymethods]
impl PyBook {
    #[new]
    fn new() -> PyBook {
        PyBook(Mutex::new(Book::default()))
    }

    /// Sort by client and write into what `allocate(clients, leaves, bytes of records)` gives: (slots, records).
    fn write(&self, py: Python<'_>, allocate: &Bound<'_, PyAny>) -> PyResult<()> {
        // Python runs while it is held: another thread that asked for it would wait with the interpreter's lock.
        let book = self.0.try_lock().map_err(|_| PyValueError::new_err(("busy", "the book is being written")))?;
        let arranged = py.detach(|| book.arrange())?;
        let given = allocate.call1((arranged.clients(), book.leaves(), arranged.bytes))?;
        let (slots, records): (Bound<'_, PyAny>, Bound<'_, PyAny>) = given.extract()?;
        let (mut slots, mut records) = (Filled::of(&slots)?, Filled::of(&records)?);
        py.detach(|| arranged.write(slots.bytes(), records.bytes()))?;
        Ok(())
    }
}

/// Write the records of a serving set into what `allocate(bytes of records)` gives: (slots, records). The number of
/// clients that the book has.
///
/// book: (slots, records); clients: (id offsets, ids, code offsets, codes, tokens, position offsets, positions); trees:
/// (tree id, tree key, level 0 without pads) of each by number.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn write_set<'py>(
    py: Python<'py>,
    book: (Bound<'py, PyAny>, Bound<'py, PyAny>),
    clients: Vec<Bound<'py, PyAny>>,
    index_key: &[u8],
    trees: Vec<(Vec<u8>, Vec<u8>, Bound<'py, PyAny>)>,
    allocate: &Bound<'py, PyAny>,
) -> PyResult<u64> {
    let (slots, records) = (Held::of(&book.0)?, Held::of(&book.1)?);
    let held: Vec<Held> = clients.iter().map(Held::of).collect::<PyResult<_>>()?;
    let [a, b, c, d, tokens, e, f] = &held[..] else {
        return Err(PyValueError::new_err(("columns", "seven columns of clients")));
    };
    let index_key = digest(index_key)?;
    let mut keys = Vec::new();
    let mut leaves = Vec::new();
    for (id, key, nodes) in &trees {
        keys.push((digest(id)?, digest(key)?));
        leaves.push(Held::of(nodes)?);
    }
    let set = py.detach(|| {
        let clients = Clients {
            ids: Texts::new(a.bytes(), b.bytes())?,
            codes: Texts::new(c.bytes(), d.bytes())?,
            tokens: tokens.bytes(),
            positions: Texts::new(e.bytes(), f.bytes())?,
        };
        Set::new(Stored { slots: slots.bytes(), records: records.bytes() }, clients, &index_key)
    })?;
    let (slots, records): (Bound<'_, PyAny>, Bound<'_, PyAny>) = allocate.call1((set.bytes,))?.extract()?;
    let (mut slots, mut records) = (Filled::of(&slots)?, Filled::of(&records)?);
    py.detach(|| {
        let trees: Vec<Leaves> = keys
            .iter()
            .zip(&leaves)
            .map(|((id, key), nodes)| Leaves { hasher: Hasher::new(id, key), nodes: nodes.bytes() })
            .collect();
        set.write(&trees, slots.bytes(), records.bytes())
    })?;
    Ok(set.found)
}

/// Recompute every node of a stored tree above its leaves, and all pads, into `fresh` (of one size with `nodes`);
/// whether they are the same.
#[pyfunction]
fn same_nodes(
    py: Python<'_>,
    tree_id: &[u8],
    tree_key: &[u8],
    nodes: &Bound<'_, PyAny>,
    fresh: &Bound<'_, PyAny>,
    leaves: u64,
    depth: u32,
) -> PyResult<bool> {
    let hasher = Hasher::new(&digest(tree_id)?, &digest(tree_key)?);
    let (nodes, mut fresh) = (Held::of(nodes)?, Filled::of(fresh)?);
    let (read, filled) = (nodes.bytes().as_ptr_range(), fresh.bytes().as_ptr_range());
    if read.start < filled.end && filled.start < read.end {
        return Err(PyBufferError::new_err("the nodes and the room to compute them in overlap"));
    }
    check_shape(leaves, depth)?;
    Ok(py.detach(|| {
        let (nodes, fresh) = (nodes.bytes(), fresh.bytes());
        let size: u64 = stored_counts(leaves, depth).iter().sum();
        if nodes.len() as u64 != size * NODE as u64 || nodes.len() != fresh.len() {
            return Ok(false);
        }
        let level = leaves as usize * NODE;
        fresh[..level].copy_from_slice(&nodes[..level]);
        fill_levels(&hasher, fresh, leaves, depth)?;
        Ok::<_, Refused>(nodes == fresh)
    })?)
}

/// Paths of a stored tree; it holds the buffer of the nodes.
#[pyclass(name = "Paths", module = "reserveproof_kernel", frozen)]
struct PyPaths {
    paths: Paths,
    nodes: Held,
}

#[pymethods]
impl PyPaths {
    #[new]
    fn new(tree_id: &[u8], nodes: &Bound<'_, PyAny>, leaves: u64, depth: u32) -> PyResult<PyPaths> {
        let (paths, nodes) = (Paths::new(&digest(tree_id)?, leaves, depth)?, Held::of(nodes)?);
        if nodes.bytes().len() != paths.size() {
            return Err(PyValueError::new_err(("size", "the nodes are not of that tree")));
        }
        Ok(PyPaths { paths, nodes })
    }

    /// (leaf as stored, root that it leads to, the path as canonical JSON).
    fn prove<'py>(
        &self,
        py: Python<'py>,
        index: u64,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let found = self.paths.prove(self.nodes.bytes(), index)?;
        Ok((PyBytes::new(py, &found.leaf), PyBytes::new(py, &found.root), PyBytes::new(py, &found.json)))
    }
}

/// Bulk hashing of sum trees.
#[pymodule]
fn reserveproof_kernel(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<PyCell>()?;
    module.add_class::<PyBook>()?;
    module.add_class::<PyPaths>()?;
    module.add_function(wrap_pyfunction!(write_set, module)?)?;
    module.add_function(wrap_pyfunction!(same_nodes, module)?)?;
    Ok(())
}

//! SHA-256 over short messages whose first block never changes: the state after it is kept.

use sha2::block_api::compress256;

/// Bytes of a digest.
pub const DIGEST: usize = 32;
/// The least that FIPS 180-4 adds to a message: a byte and the length.
const PADDING: usize = 9;

const INITIAL: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// A digest.
pub type Digest = [u8; DIGEST];

/// The state of SHA-256 after no block or after one.
#[derive(Clone, Copy)]
pub struct Midstate {
    state: [u32; 8],
    bytes: u64,
}

impl Midstate {
    /// Before the first byte.
    pub const START: Midstate = Midstate { state: INITIAL, bytes: 0 };

    /// After one block.
    pub fn after(block: &[u8; 64]) -> Midstate {
        let mut state = INITIAL;
        compress256(&mut state, std::slice::from_ref(block));
        Midstate { state, bytes: 64 }
    }
}

/// What follows a midstate, on the stack: at most BLOCKS blocks with their padding. A longer message is a fault and
/// panics. Small, so that hashing a node does not clear room for the longest line.
pub struct Message<const BLOCKS: usize> {
    blocks: [[u8; 64]; BLOCKS],
    length: usize,
}

impl<const BLOCKS: usize> Message<BLOCKS> {
    /// An empty message.
    pub const EMPTY: Self = Message { blocks: [[0; 64]; BLOCKS], length: 0 };

    /// Makes it empty again.
    #[inline(always)]
    pub fn clear(&mut self) -> &mut Self {
        self.blocks = [[0; 64]; BLOCKS];
        self.length = 0;
        self
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends bytes.
    #[inline(always)]
    pub fn push(&mut self, data: &[u8]) -> &mut Self {
        let end = self.length + data.len();
        assert!(end + PADDING <= BLOCKS * 64, "a message is longer than the format has");
        self.blocks.as_flattened_mut()[self.length..end].copy_from_slice(data);
        self.length = end;
        self
    }

    /// Appends bytes of a number that is known when this is compiled: no call to copy them, and where a message has
    /// only such parts, its padding is placed then too.
    #[inline(always)]
    pub fn put<const BYTES: usize>(&mut self, data: &[u8; BYTES]) -> &mut Self {
        self.push(data)
    }

    /// Appends lp(data): its length as u32, then the bytes.
    #[inline]
    pub fn push_prefixed(&mut self, data: &[u8]) -> &mut Self {
        self.push(&(data.len() as u32).to_be_bytes()).push(data)
    }

    /// SHA-256 of what the midstate holds and of this message, padded as FIPS 180-4 section 5.1.1 says.
    #[inline(always)]
    pub fn finish(&mut self, from: &Midstate) -> Digest {
        let bits = (from.bytes + self.length as u64) * 8;
        let count = (self.length + PADDING).div_ceil(64);
        let flat = self.blocks.as_flattened_mut();
        flat[self.length] = 0x80;
        flat[count * 64 - 8..count * 64].copy_from_slice(&bits.to_be_bytes());
        let mut state = from.state;
        compress256(&mut state, &self.blocks[..count]);
        let mut digest = [0; DIGEST];
        for (to, word) in digest.chunks_exact_mut(4).zip(state) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

/// Messages that are written before the first of them is hashed: what was just written would be waited for, and one
/// message's last rounds run beside the next one's first.
pub const LANES: usize = 8;

/// The digests of up to LANES messages.
#[inline(always)]
pub fn finish_all<const BLOCKS: usize>(messages: &mut [Message<BLOCKS>], from: &Midstate, to: &mut [Digest]) {
    for (message, digest) in messages.iter_mut().zip(to) {
        *digest = message.finish(from);
    }
}

/// SHA-256 of a short message.
pub fn sha256(data: &[u8]) -> Digest {
    let mut message = Message::<8>::EMPTY;
    message.push(data);
    message.finish(&Midstate::START)
}

/// T(name): the first 32 bytes of every preimage.
pub fn tag(name: &str) -> Digest {
    let mut message = Message::<2>::EMPTY;
    message.push(b"reserveproof/v1/").push(name.as_bytes());
    message.finish(&Midstate::START)
}

/// HMAC-SHA-256 under one key of 32 bytes, its two blocks kept.
#[derive(Clone, Copy)]
pub struct Hmac {
    inner: Midstate,
    outer: Midstate,
}

impl Hmac {
    /// Of a key.
    pub fn new(key: &Digest) -> Hmac {
        let (mut inner, mut outer) = ([0x36u8; 64], [0x5cu8; 64]);
        for (at, byte) in key.iter().enumerate() {
            inner[at] ^= byte;
            outer[at] ^= byte;
        }
        Hmac { inner: Midstate::after(&inner), outer: Midstate::after(&outer) }
    }

    /// Of up to LANES messages.
    #[inline(always)]
    pub fn digests<const BLOCKS: usize>(&self, messages: &mut [Message<BLOCKS>], to: &mut [Digest]) {
        finish_all(messages, &self.inner, to);
        let mut outer = [const { Message::<1>::EMPTY }; LANES];
        for (message, digest) in outer.iter_mut().zip(&*to) {
            message.put(digest);
        }
        finish_all(&mut outer[..messages.len()], &self.outer, to);
    }

    /// Of a message.
    #[inline(always)]
    pub fn digest<const BLOCKS: usize>(&self, message: &mut Message<BLOCKS>) -> Digest {
        let inner = message.finish(&self.inner);
        let mut outer = Message::<1>::EMPTY;
        outer.put(&inner);
        outer.finish(&self.outer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(data: &[u8]) -> String {
        data.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn fips_180_4_examples() {
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(&sha256(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            hex(&sha256(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }

    #[test]
    fn every_length_as_the_library_hashes_it() {
        use sha2::Digest as _;
        const LONGEST: usize = 8 * 64 - PADDING;
        let data: Vec<u8> = (0..LONGEST + 64).map(|n| (n * 7 % 251) as u8).collect();
        let block: &[u8; 64] = data[..64].try_into().unwrap();
        for length in 0..=LONGEST {
            let mut message = Message::<8>::EMPTY;
            message.push(&data[64..64 + length]);
            let wanted: Digest = sha2::Sha256::digest(&data[..64 + length]).into();
            assert_eq!(message.finish(&Midstate::after(block)), wanted, "{length}");
        }
    }

    #[test]
    fn rfc_4231_case_with_a_key_of_32_bytes() {
        // RFC 4231 has no key of 32 bytes; a shorter one is padded with zeros, so its case 2 serves.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mut message = Message::<1>::EMPTY;
        message.push(b"what do ya want for nothing?");
        assert_eq!(
            hex(&Hmac::new(&key).digest(&mut message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    #[should_panic(expected = "longer than the format has")]
    fn a_message_too_long_is_a_fault() {
        Message::<2>::EMPTY.push(&[0; 2 * 64 - PADDING + 1]);
    }
}

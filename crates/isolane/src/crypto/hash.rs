//! The hash functions, and the choice of one at run time.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::control::CHUNK_BYTES;
use super::{Control, Fault};

/// The hash functions; the numbers are shared with `guest/crypto_algorithms.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1 = 1,
    Sha256,
    Sha384,
    Sha512,
}

/// Runs the expression with `$D` as the type of the hash function.
macro_rules! with_hash {
    ($hash:expr, $D:ident => $body:expr) => {
        match $hash {
            $crate::crypto::Hash::Sha1 => {
                type $D = sha1::Sha1;
                $body
            }
            $crate::crypto::Hash::Sha256 => {
                type $D = sha2::Sha256;
                $body
            }
            $crate::crypto::Hash::Sha384 => {
                type $D = sha2::Sha384;
                $body
            }
            $crate::crypto::Hash::Sha512 => {
                type $D = sha2::Sha512;
                $body
            }
        }
    };
}
pub(super) use with_hash;

impl Hash {
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Sha1),
            2 => Some(Self::Sha256),
            3 => Some(Self::Sha384),
            4 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The bits that JWK's names of algorithms have for it.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Sha1 => 1,
            Self::Sha256 => 256,
            Self::Sha384 => 384,
            Self::Sha512 => 512,
        }
    }

    /// How long the block is that HMAC pads its key to.
    pub(super) fn block_bits(self) -> u32 {
        match self {
            Self::Sha1 | Self::Sha256 => 512,
            Self::Sha384 | Self::Sha512 => 1024,
        }
    }

    /// The hash of `data`.
    pub(super) fn digest(self, data: &[u8], control: &Control<'_>) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Sha1 => digest::<Sha1>(data, control),
            Self::Sha256 => digest::<Sha256>(data, control),
            Self::Sha384 => digest::<Sha384>(data, control),
            Self::Sha512 => digest::<Sha512>(data, control),
        }
    }
}

fn digest<D: Digest>(data: &[u8], control: &Control<'_>) -> Result<Vec<u8>, Fault> {
    let mut state = D::new();
    for chunk in data.chunks(CHUNK_BYTES) {
        control.check()?;
        state.update(chunk);
    }
    Ok(state.finalize().to_vec())
}

//! AES in its modes: CTR, CBC, GCM and key wrapping.
//!
//! GCM is put together from AES, counter mode and GHASH, because Web Cryptography allows initialization
//! vectors of any length and short tags. Data is worked on in place.

use aes::cipher::common::InnerInit;
use aes::cipher::{
    Array, Block, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser,
    InnerIvInit, KeyInit, StreamCipher, consts::U16,
};
use aes::{Aes128, Aes192, Aes256};
use aes_kw::AesKw;
use ctr::CtrCore;
use ctr::cipher::{BlockCipherDecrypt, StreamCipherCoreWrapper};
use ctr::flavors::{Ctr32BE, Ctr128BE};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;

use super::control::CHUNK_BYTES;
use super::{Control, Fault, Key, Secret};

const BLOCK_BYTES: usize = 16;

/// The most that is wrapped at a time: wrapping goes over its data six times and cannot be stopped.
const MAX_WRAPPED_BYTES: usize = 1 << 20;

type Counter32<C> = StreamCipherCoreWrapper<CtrCore<C, Ctr32BE>>;
type Counter128<C> = StreamCipherCoreWrapper<CtrCore<C, Ctr128BE>>;

/// Runs the expression with `$cipher` as AES with the key's length.
macro_rules! with_aes {
    ($key:expr, $cipher:ident => $body:expr) => {
        match $key.material.len() {
            16 => {
                let $cipher = start::<Aes128>($key)?;
                $body
            }
            24 => {
                let $cipher = start::<Aes192>($key)?;
                $body
            }
            32 => {
                let $cipher = start::<Aes256>($key)?;
                $body
            }
            _ => Err(Fault::operation("The key cannot be used")),
        }
    };
}

fn start<C: KeyInit>(key: &Key) -> Result<C, Fault> {
    C::new_from_slice(&key.material).map_err(|_| Fault::operation("The key cannot be used"))
}

fn block(bytes: &[u8], what: &'static str) -> Result<[u8; BLOCK_BYTES], Fault> {
    bytes.try_into().map_err(|_| Fault::operation(what))
}

/// AES-CTR both ways; the counter is the last `counter_bits` bits of its block.
pub(super) fn ctr(
    key: &Key,
    counter: &[u8],
    counter_bits: u32,
    mut data: Secret,
    control: &Control<'_>,
) -> Result<Secret, Fault> {
    let counter = u128::from_be_bytes(block(counter, "AES-CTR: counter must have 16 bytes")?);
    if !(1..=128).contains(&counter_bits) {
        return Err(Fault::operation("AES-CTR: length must be from 1 to 128"));
    }
    let mask = u128::MAX >> (128 - counter_bits);
    // One less than there are, because 2^128 is one more than fits.
    let blocks_until_wrap = mask - (counter & mask);
    let blocks = data.len().div_ceil(BLOCK_BYTES) as u128;
    if blocks.saturating_sub(1) > mask {
        return Err(Fault::operation(
            "AES-CTR: the data is longer than the counter can count",
        ));
    }
    with_aes!(key, cipher => {
        let first = blocks_until_wrap
            .saturating_add(1)
            .saturating_mul(BLOCK_BYTES as u128)
            .min(data.len() as u128) as usize;
        let (before, after) = data.split_at_mut(first);
        keystream(&cipher, counter, before, control)?;
        keystream(&cipher, counter & !mask, after, control)?;
        Ok(data)
    })
}

fn keystream<C>(
    cipher: &C,
    counter: u128,
    data: &mut [u8],
    control: &Control<'_>,
) -> Result<(), Fault>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Clone,
{
    let start = Array::from(counter.to_be_bytes());
    let stream = Counter128::<C>::from_core(CtrCore::inner_iv_init(cipher.clone(), &start));
    apply(stream, data, control, "AES-CTR: the data is too long")
}

/// Adds a stream of keys to the data.
fn apply(
    mut stream: impl StreamCipher,
    data: &mut [u8],
    control: &Control<'_>,
    too_long: &'static str,
) -> Result<(), Fault> {
    for chunk in data.chunks_mut(CHUNK_BYTES) {
        control.check()?;
        stream
            .try_apply_keystream(chunk)
            .map_err(|_| Fault::operation(too_long))?;
    }
    Ok(())
}

/// AES-CBC with the padding of PKCS #7.
pub(super) fn cbc_encrypt(
    key: &Key,
    iv: &[u8],
    mut data: Secret,
    control: &Control<'_>,
) -> Result<Secret, Fault> {
    let iv = Array::from(block(iv, "AES-CBC: iv must have 16 bytes")?);
    let padding = BLOCK_BYTES - data.len() % BLOCK_BYTES;
    let mut padded = Secret::new(Vec::with_capacity(data.len() + padding));
    padded.append(&mut data);
    let length = padded.len() + padding;
    padded.resize(length, padding as u8);
    with_aes!(key, cipher => {
        let mut mode = cbc::Encryptor::inner_iv_init(cipher, &iv);
        for chunk in padded.chunks_mut(CHUNK_BYTES) {
            control.check()?;
            mode.encrypt_blocks(blocks_of(chunk));
        }
        Ok(padded)
    })
}

/// Undoes [`cbc_encrypt`].
pub(super) fn cbc_decrypt(
    key: &Key,
    iv: &[u8],
    mut data: Secret,
    control: &Control<'_>,
) -> Result<Secret, Fault> {
    let iv = Array::from(block(iv, "AES-CBC: iv must have 16 bytes")?);
    if data.is_empty() || !data.len().is_multiple_of(BLOCK_BYTES) {
        return Err(Fault::operation(
            "AES-CBC: the length of the data must be a multiple of 16, and not 0",
        ));
    }
    with_aes!(key, cipher => {
        let mut mode = cbc::Decryptor::inner_iv_init(cipher, &iv);
        for chunk in data.chunks_mut(CHUNK_BYTES) {
            control.check()?;
            mode.decrypt_blocks(blocks_of(chunk));
        }
        let length = unpadded(&data).ok_or_else(|| Fault::operation("AES-CBC: decryption failed"))?;
        data.truncate(length);
        Ok(data)
    })
}

fn blocks_of(bytes: &mut [u8]) -> &mut [Block<Aes128>] {
    Block::<Aes128>::slice_as_chunks_mut(bytes).0
}

/// The length of what was padded.
fn unpadded(data: &[u8]) -> Option<usize> {
    let &padding = data.last()?;
    let length = data.len().checked_sub(padding.into())?;
    let right = (1..=BLOCK_BYTES).contains(&padding.into())
        && data[length..].iter().all(|&byte| byte == padding);
    right.then_some(length)
}

/// What AES-GCM is given beside its key and data.
pub(crate) struct Gcm {
    pub(crate) iv: Vec<u8>,
    pub(crate) additional_data: Vec<u8>,
    pub(crate) tag_bits: u32,
}

impl Gcm {
    fn tag_bytes(&self) -> Result<usize, Fault> {
        match self.tag_bits {
            32 | 64 | 96 | 104 | 112 | 120 | 128 => Ok(self.tag_bits as usize / 8),
            _ => Err(Fault::operation(
                "AES-GCM: tagLength must be 32, 64, 96, 104, 112, 120 or 128",
            )),
        }
    }
}

/// AES-GCM: the ciphertext with its tag behind.
pub(super) fn gcm_encrypt(
    key: &Key,
    gcm: &Gcm,
    mut data: Secret,
    control: &Control<'_>,
) -> Result<Secret, Fault> {
    let tag_bytes = gcm.tag_bytes()?;
    with_aes!(key, cipher => {
        let start = gcm_start(&cipher, &gcm.iv, control)?;
        gcm_stream(&cipher, start.counter, &mut data, control)?;
        let tag = gcm_tag(&cipher, &start, &gcm.additional_data, &data, control)?;
        let mut sealed = Secret::new(Vec::with_capacity(data.len() + tag_bytes));
        sealed.append(&mut data);
        sealed.extend_from_slice(&tag[..tag_bytes]);
        Ok(sealed)
    })
}

/// Undoes [`gcm_encrypt`]; nothing is decrypted unless the tag is right.
pub(super) fn gcm_decrypt(
    key: &Key,
    gcm: &Gcm,
    mut data: Secret,
    control: &Control<'_>,
) -> Result<Secret, Fault> {
    let tag_bytes = gcm.tag_bytes()?;
    let failed = || Fault::operation("AES-GCM: decryption failed");
    let length = data.len().checked_sub(tag_bytes).ok_or_else(failed)?;
    with_aes!(key, cipher => {
        let start = gcm_start(&cipher, &gcm.iv, control)?;
        let tag = gcm_tag(&cipher, &start, &gcm.additional_data, &data[..length], control)?;
        if !bool::from(tag[..tag_bytes].ct_eq(&data[length..])) {
            return Err(failed());
        }
        data.truncate(length);
        gcm_stream(&cipher, start.counter, &mut data, control)?;
        Ok(data)
    })
}

/// Where GCM begins.
struct GcmStart {
    /// The hash under the cipher's key.
    hash: GHash,
    /// The first counter, which is J0 of NIST SP 800-38D.
    counter: u128,
}

fn gcm_start<C>(cipher: &C, iv: &[u8], control: &Control<'_>) -> Result<GcmStart, Fault>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut hash_key = Array::from([0; BLOCK_BYTES]);
    cipher.encrypt_block(&mut hash_key);
    let hash = GHash::new(&hash_key);
    if let Ok(iv) = <[u8; 12]>::try_from(iv) {
        let mut first = [0; BLOCK_BYTES];
        first[..12].copy_from_slice(&iv);
        first[15] = 1;
        let counter = u128::from_be_bytes(first);
        return Ok(GcmStart { hash, counter });
    }
    let mut first = hash.clone();
    feed(&mut first, iv, control)?;
    first.update(&[Array::from(bit_length(iv).to_be_bytes())]);
    let counter = u128::from_be_bytes(first.finalize().into());
    Ok(GcmStart { hash, counter })
}

fn gcm_stream<C>(
    cipher: &C,
    first: u128,
    data: &mut [u8],
    control: &Control<'_>,
) -> Result<(), Fault>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Clone,
{
    // The counter is the last 32 bits, which wrap by themselves.
    let mut start = first.to_be_bytes();
    let counter = (first as u32).wrapping_add(1);
    start[12..].copy_from_slice(&counter.to_be_bytes());
    let start = Array::from(start);
    let stream = Counter32::<C>::from_core(CtrCore::inner_iv_init(cipher.clone(), &start));
    apply(stream, data, control, "AES-GCM: the data is too long")
}

fn gcm_tag<C>(
    cipher: &C,
    start: &GcmStart,
    additional_data: &[u8],
    ciphertext: &[u8],
    control: &Control<'_>,
) -> Result<[u8; BLOCK_BYTES], Fault>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut hash = start.hash.clone();
    feed(&mut hash, additional_data, control)?;
    feed(&mut hash, ciphertext, control)?;
    let lengths = bit_length(additional_data) << 64 | bit_length(ciphertext);
    hash.update(&[Array::from(lengths.to_be_bytes())]);
    let mut mask = Array::from(start.counter.to_be_bytes());
    cipher.encrypt_block(&mut mask);
    let tag = u128::from_be_bytes(hash.finalize().into()) ^ u128::from_be_bytes(mask.into());
    Ok(tag.to_be_bytes())
}

fn feed(hash: &mut GHash, data: &[u8], control: &Control<'_>) -> Result<(), Fault> {
    for chunk in data.chunks(CHUNK_BYTES) {
        control.check()?;
        hash.update_padded(chunk);
    }
    Ok(())
}

fn bit_length(data: &[u8]) -> u128 {
    data.len() as u128 * 8
}

/// AES-KW (RFC 3394).
pub(super) fn wrap(key: &Key, data: &[u8]) -> Result<Secret, Fault> {
    if data.len() > MAX_WRAPPED_BYTES {
        return Err(Fault::operation("AES-KW: the key to wrap is too long"));
    }
    let mut wrapped = Secret::new(vec![0; data.len() + 8]);
    with_aes!(key, cipher => wrap_with(cipher, data, &mut wrapped))?;
    Ok(wrapped)
}

fn wrap_with<C>(cipher: C, data: &[u8], wrapped: &mut [u8]) -> Result<(), Fault>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let wrapped = AesKw::inner_init(cipher).wrap_key(data, wrapped);
    match (data.len() >= 16, wrapped) {
        (true, Ok(_)) => Ok(()),
        _ => Err(Fault::operation(
            "AES-KW: the length of the key to wrap must be a multiple of 8, and at least 16",
        )),
    }
}

/// Undoes [`wrap`].
pub(super) fn unwrap(key: &Key, data: &[u8]) -> Result<Secret, Fault> {
    let failed = || Fault::operation("AES-KW: unwrapping failed");
    if data.len() > MAX_WRAPPED_BYTES + 8 || data.len() < 24 {
        return Err(failed());
    }
    let mut unwrapped = Secret::new(vec![0; data.len() - 8]);
    with_aes!(key, cipher => unwrap_with(cipher, data, &mut unwrapped))?;
    Ok(unwrapped)
}

fn unwrap_with<C>(cipher: C, data: &[u8], unwrapped: &mut [u8]) -> Result<(), Fault>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16>,
{
    match AesKw::inner_init(cipher).unwrap_key(data, unwrapped) {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::operation("AES-KW: unwrapping failed")),
    }
}

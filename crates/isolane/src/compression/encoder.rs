//! Compressing, by the writers of flate2 and brotli over a buffer that is emptied after every step.

use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::{Format, Step};

/// Between the quickest and the densest: what servers choose for answers that are made on the fly.
const BROTLI_QUALITY: u32 = 5;
/// A window of 256 KiB.
const BROTLI_WINDOW_BITS: u32 = 18;
const BROTLI_BUFFER_BYTES: usize = 4096;

pub(crate) enum Encoder {
    Deflate(ZlibEncoder<Vec<u8>>),
    DeflateRaw(DeflateEncoder<Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Finished,
}

impl Encoder {
    pub(super) fn new(format: Format) -> Self {
        let level = Compression::default();
        match format {
            Format::Deflate => Self::Deflate(ZlibEncoder::new(Vec::new(), level)),
            Format::DeflateRaw => Self::DeflateRaw(DeflateEncoder::new(Vec::new(), level)),
            Format::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), level)),
            Format::Brotli => Self::Brotli(Box::new(CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER_BYTES,
                BROTLI_QUALITY,
                BROTLI_WINDOW_BITS,
            ))),
        }
    }

    pub(super) fn step(&mut self, input: &[u8]) -> io::Result<Step> {
        let output = match self {
            Self::Deflate(encoder) => {
                encoder.write_all(input)?;
                encoder.get_mut()
            }
            Self::DeflateRaw(encoder) => {
                encoder.write_all(input)?;
                encoder.get_mut()
            }
            Self::Gzip(encoder) => {
                encoder.write_all(input)?;
                encoder.get_mut()
            }
            Self::Brotli(encoder) => {
                encoder.write_all(input)?;
                encoder.get_mut()
            }
            Self::Finished => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        Ok(Step {
            taken: input.len(),
            output: std::mem::take(output),
        })
    }

    pub(super) fn finish(&mut self) -> io::Result<Vec<u8>> {
        match std::mem::replace(self, Self::Finished) {
            Self::Deflate(encoder) => encoder.finish(),
            Self::DeflateRaw(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Finished => Ok(Vec::new()),
        }
    }
}

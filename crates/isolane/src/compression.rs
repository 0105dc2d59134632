//! The coders behind `CompressionStream` and `DecompressionStream`: each is stepped, takes a bounded part
//! of its input and gives a bounded part of its output. They do no waiting and know no V8.

mod decoder;
mod encoder;

use std::io;

/// The most input that one step takes, and about the most output that it gives.
pub(crate) const STEP_BYTES: usize = 64 << 10;

/// The formats; the numbers are shared with `guest/compression_streams.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Deflate,
    DeflateRaw,
    Gzip,
    Brotli,
}

impl Format {
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Deflate),
            1 => Some(Self::DeflateRaw),
            2 => Some(Self::Gzip),
            3 => Some(Self::Brotli),
            _ => None,
        }
    }
}

/// What a step did.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// How many bytes of the input were taken.
    pub(crate) taken: usize,
    pub(crate) output: Vec<u8>,
}

/// A coder in the middle of its data.
pub(crate) enum Codec {
    Encoder(encoder::Encoder),
    Decoder(Box<decoder::Decoder>),
}

impl Codec {
    pub(crate) fn new(format: Format, compresses: bool) -> Self {
        if compresses {
            Self::Encoder(encoder::Encoder::new(format))
        } else {
            Self::Decoder(Box::new(decoder::Decoder::new(format)))
        }
    }

    /// How many bytes a coder may take outside of the guest's heap, at the most and about.
    pub(crate) fn state_bytes(format: Format, compresses: bool) -> usize {
        match (format, compresses) {
            (Format::Brotli, true) => 8 << 20,
            (Format::Brotli, false) => 20 << 20,
            (_, true) => 512 << 10,
            (_, false) => 64 << 10,
        }
    }

    /// Works on a part of `input`. It has come to an end where nothing was taken and nothing given.
    ///
    /// # Errors
    /// The data is not what its format says.
    pub(crate) fn step(&mut self, input: &[u8]) -> io::Result<Step> {
        let input = &input[..input.len().min(STEP_BYTES)];
        match self {
            Self::Encoder(encoder) => encoder.step(input),
            Self::Decoder(decoder) => decoder.step(input),
        }
    }

    /// Gives a part of what is left after the last input; nothing once there is no more.
    ///
    /// # Errors
    /// The data breaks off.
    pub(crate) fn finish(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Encoder(encoder) => encoder.finish(),
            Self::Decoder(decoder) => decoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests;

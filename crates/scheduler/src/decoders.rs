//! The decoders behind content codings, each stepped by hand: bytes in, at most one buffer out.
//!
//! No I/O and no waiting; whoever pulls a body steps them. What they hold is bounded by their
//! format's window, whatever the input says: 32 KiB, or 16 MiB for brotli.

use std::io::{self, BufRead, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf, Bytes};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// How many members a gzip file may have whatever is in them.
const FREE_MEMBERS: u64 = 1024;

/// How many bytes each member beyond [`FREE_MEMBERS`] decodes to on average, at least.
///
/// A member costs a decoder's start, and an empty one is only twenty bytes.
const MIN_MEMBER_BYTES: u64 = 1024;

/// A content coding that is undone for the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

/// What one step of a decoder gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many bytes were written, at least one.
    Output(usize),
    /// Nothing, until there is more input.
    Starved,
    /// The end of the encoded data.
    End,
}

/// One decoder in the middle of its data.
pub(crate) enum Decoder {
    Gzip(Gzip),
    /// Which of the two formats that servers call "deflate" it is, the first byte says.
    Deflate(Input),
    Zlib(ZlibDecoder<Input>),
    RawDeflate(DeflateDecoder<Input>),
    Brotli(Box<Brotli>),
}

impl Decoder {
    pub(crate) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Gzip::new()),
            Coding::Deflate => Self::Deflate(Input::default()),
            Coding::Brotli => Self::Brotli(Box::new(Brotli::new())),
        }
    }

    /// Gives the next bytes; only once the last were used up, which `Starved` says.
    pub(crate) fn feed(&mut self, chunk: Bytes) {
        self.input().chunk = chunk;
    }

    /// Says that no more bytes follow.
    pub(crate) fn finish(&mut self) {
        self.input().ended = true;
    }

    /// Decodes into `output`, which has room.
    ///
    /// # Errors
    /// The data is not what its coding says, or breaks off.
    pub(crate) fn step(&mut self, output: &mut [u8]) -> io::Result<Step> {
        self.choose_deflate();
        let decoded = match self {
            Self::Gzip(decoder) => decoder.read(output),
            Self::Deflate(input) if input.ended => Ok(0),
            Self::Deflate(_) => Err(io::ErrorKind::WouldBlock.into()),
            Self::Zlib(decoder) => decoder.read(output),
            Self::RawDeflate(decoder) => decoder.read(output),
            Self::Brotli(decoder) => decoder.read(output),
        };
        match decoded {
            Ok(0) => Ok(Step::End),
            Ok(length) => Ok(Step::Output(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Step::Starved),
            Err(error) => Err(error),
        }
    }

    fn choose_deflate(&mut self) {
        let Self::Deflate(input) = self else { return };
        let Some(&first) = input.chunk.first() else {
            return;
        };
        // A zlib header names its method (8) in the lower half of its first byte.
        let input = std::mem::take(input);
        *self = if first & 0x0f == 8 {
            Self::Zlib(ZlibDecoder::new(input))
        } else {
            Self::RawDeflate(DeflateDecoder::new(input))
        };
    }

    fn input(&mut self) -> &mut Input {
        match self {
            Self::Gzip(decoder) => decoder.member.get_mut(),
            Self::Deflate(input) => input,
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::RawDeflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => &mut decoder.input,
        }
    }
}

/// The encoded bytes at hand, as a reader that would block where it has none.
#[derive(Default)]
pub(crate) struct Input {
    chunk: Bytes,
    ended: bool,
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, length: usize) {
        self.chunk.advance(length.min(self.chunk.len()));
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

/// A gzip file: members, one after another.
pub(crate) struct Gzip {
    member: GzDecoder<Input>,
    members: u64,
    produced: u64,
}

impl Gzip {
    fn new() -> Self {
        Self {
            member: GzDecoder::new(Input::default()),
            members: 1,
            produced: 0,
        }
    }

    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.member.read(output)?;
            self.produced += length as u64;
            if length > 0 || self.member.get_mut().fill_buf()?.is_empty() {
                return Ok(length);
            }
            self.members += 1;
            if self.members > FREE_MEMBERS + self.produced / MIN_MEMBER_BYTES {
                return Err(io::Error::other("the gzip file has too many members"));
            }
            let input = std::mem::take(self.member.get_mut());
            self.member = GzDecoder::new(input);
        }
    }
}

/// Brotli as RFC 7932 has it: windows beyond 16 MiB, an extension, are refused.
pub(crate) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: Input,
    ended: bool,
}

impl Brotli {
    fn new() -> Self {
        let allocator = StandardAlloc::default;
        Self {
            state: BrotliState::new_strict(allocator(), allocator(), allocator()),
            input: Input::default(),
            ended: false,
        }
    }

    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let (mut available_in, mut used) = (self.input.chunk.len(), 0);
        let (mut available_out, mut written) = (output.len(), 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut used,
            &self.input.chunk,
            &mut available_out,
            &mut written,
            output,
            &mut 0,
            &mut self.state,
        );
        self.input.consume(used);
        match result {
            BrotliResult::ResultFailure => Err(io::ErrorKind::InvalidData.into()),
            BrotliResult::ResultSuccess => {
                self.ended = true;
                Ok(written)
            }
            _ if written > 0 => Ok(written),
            BrotliResult::NeedsMoreInput if !self.input.ended => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

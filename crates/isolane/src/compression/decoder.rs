//! Decompressing, strictly: what follows the end of the data is an error, and so is data that breaks off.

use std::io::{self, BufRead, Read};

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::{Format, STEP_BYTES, Step};

pub(crate) struct Decoder {
    kind: Kind,
    has_ended: bool,
}

enum Kind {
    Inflate(Decompress),
    Gzip(GzDecoder<Feed>),
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
}

/// What one attempt gave.
struct Attempt {
    taken: usize,
    given: usize,
    has_ended: bool,
}

impl Decoder {
    pub(super) fn new(format: Format) -> Self {
        let allocator = StandardAlloc::default;
        let kind = match format {
            Format::Deflate => Kind::Inflate(Decompress::new(true)),
            Format::DeflateRaw => Kind::Inflate(Decompress::new(false)),
            Format::Gzip => Kind::Gzip(GzDecoder::new(Feed::default())),
            Format::Brotli => Kind::Brotli(Box::new(BrotliState::new_strict(
                allocator(),
                allocator(),
                allocator(),
            ))),
        };
        Self {
            kind,
            has_ended: false,
        }
    }

    pub(super) fn step(&mut self, input: &[u8]) -> io::Result<Step> {
        if self.has_ended {
            return match input {
                [] => Ok(Step::default()),
                _ => Err(io::Error::other("there is more data behind the end")),
            };
        }
        let mut output = vec![0; STEP_BYTES];
        let attempt = self.attempt(input, &mut output)?;
        self.has_ended = attempt.has_ended;
        output.truncate(attempt.given);
        Ok(Step {
            taken: attempt.taken,
            output,
        })
    }

    pub(super) fn finish(&mut self) -> io::Result<Vec<u8>> {
        if let (Kind::Gzip(decoder), false) = (&mut self.kind, self.has_ended) {
            decoder.get_mut().has_ended = true;
        }
        let Step { output, .. } = self.step(&[])?;
        if output.is_empty() && !self.has_ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(output)
    }

    fn attempt(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Attempt> {
        match &mut self.kind {
            Kind::Inflate(decoder) => inflate(decoder, input, output),
            Kind::Gzip(decoder) => gunzip(decoder, input, output),
            Kind::Brotli(state) => unbrotli(state, input, output),
        }
    }
}

fn inflate(decoder: &mut Decompress, input: &[u8], output: &mut [u8]) -> io::Result<Attempt> {
    let (taken, given) = (decoder.total_in(), decoder.total_out());
    let status = decoder
        .decompress(input, output, FlushDecompress::None)
        .map_err(io::Error::other)?;
    Ok(Attempt {
        taken: (decoder.total_in() - taken) as usize,
        given: (decoder.total_out() - given) as usize,
        has_ended: status == Status::StreamEnd,
    })
}

fn gunzip(decoder: &mut GzDecoder<Feed>, input: &[u8], output: &mut [u8]) -> io::Result<Attempt> {
    decoder.get_mut().bytes.extend_from_slice(input);
    let (given, has_ended) = match decoder.read(output) {
        Ok(0) => (0, true),
        Ok(given) => (given, false),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => (0, false),
        Err(error) => return Err(error),
    };
    let feed = decoder.get_mut();
    if has_ended {
        return match feed.rest() {
            [] => Ok(Attempt {
                taken: input.len(),
                given,
                has_ended,
            }),
            _ => Err(io::Error::other("there is more data behind the end")),
        };
    }
    // What was not used up is offered again.
    let left = feed.rest().len();
    feed.bytes.clear();
    feed.used = 0;
    Ok(Attempt {
        taken: input.len() - left,
        given,
        has_ended,
    })
}

fn unbrotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    output: &mut [u8],
) -> io::Result<Attempt> {
    let (mut available_in, mut taken) = (input.len(), 0);
    let (mut available_out, mut given) = (output.len(), 0);
    let result = BrotliDecompressStream(
        &mut available_in,
        &mut taken,
        input,
        &mut available_out,
        &mut given,
        output,
        &mut 0,
        state,
    );
    match result {
        BrotliResult::ResultFailure => Err(io::ErrorKind::InvalidData.into()),
        result => Ok(Attempt {
            taken,
            given,
            has_ended: matches!(result, BrotliResult::ResultSuccess),
        }),
    }
}

/// The encoded bytes at hand, as a reader that would block where it has none.
#[derive(Default)]
struct Feed {
    bytes: Vec<u8>,
    used: usize,
    has_ended: bool,
}

impl Feed {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() && !self.has_ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self.rest())
    }

    fn consume(&mut self, length: usize) {
        self.used = (self.used + length).min(self.bytes.len());
    }
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

//! What comes from the other process: frames, one after the other, on the one thread that reads them.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use bytes::{Buf, BytesMut};

use super::frame::{self, Frame, Head, Malformed, PREFIX};

/// How much is read at once.
const READ_BYTES: usize = 64 << 10;

/// Why no further frame comes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// The other side closed the socket, most likely by ending.
    #[error("the connection has ended")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    #[error("it sent what it must not: {0}")]
    Malformed(#[from] Malformed),
}

/// The reading end of the socket.
pub(crate) struct Inbox {
    socket: Arc<UnixStream>,
    pending: BytesMut,
    chunk: Box<[u8]>,
}

impl Inbox {
    pub(crate) fn new(socket: Arc<UnixStream>) -> Self {
        Self {
            socket,
            pending: BytesMut::new(),
            chunk: vec![0; READ_BYTES].into(),
        }
    }

    /// Waits for the next frame.
    ///
    /// # Errors
    ///
    /// [`Ended`], after which nothing is to be read any more.
    pub(crate) fn next<H: Head>(&mut self) -> Result<Frame<H>, Ended> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(frame);
            }
            match (&*self.socket).read(&mut self.chunk) {
                Ok(0) => return Err(Ended::Closed),
                // Memory is taken for what has come, never for what a length promises.
                Ok(read) => self.pending.extend_from_slice(&self.chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Err(Ended::Closed);
                }
                Err(error) => return Err(Ended::Broken(error)),
            }
        }
    }

    fn take<H: Head>(&mut self) -> Result<Option<Frame<H>>, Malformed> {
        let Some(prefix) = self.pending.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = frame::length(*prefix)?;
        if self.pending.len() < PREFIX + length {
            return Ok(None);
        }
        self.pending.advance(PREFIX);
        let content = self.pending.split_to(length).freeze();
        frame::decode(&content).map(Some)
    }
}

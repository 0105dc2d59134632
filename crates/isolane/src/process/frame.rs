//! Frames: what goes over the socket at once. Pure functions, used by the threads of both processes.
//!
//! A frame is its length, the length of its head, the head (postcard) and a payload of raw bytes that
//! is never interpreted here. Whoever reads treats the other side as hostile: lengths are checked
//! before anything is allocated for them, and a head must be exactly as long as it says.

use bytes::Bytes;
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The length of a frame without its first four bytes, which hold it.
pub(crate) const LONGEST_FRAME: usize = 80 << 20;

/// The bytes that hold a frame's length.
pub(crate) const PREFIX: usize = 4;

/// The bytes that hold the length of its head.
const HEAD_PREFIX: usize = 4;

/// What a frame says, without its payload.
pub(crate) trait Head: Serialize + DeserializeOwned {
    /// How long a head of this direction may be: decoded, it takes a multiple of that.
    const LONGEST: usize;
}

/// A head and its payload.
#[derive(Debug)]
pub(crate) struct Frame<H> {
    pub(crate) head: H,
    pub(crate) payload: Bytes,
}

/// What came is not what the protocol allows: the other side is not to be trusted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a frame of {0} bytes")]
    Length(usize),
    #[error("a head of {0} bytes")]
    HeadLength(usize),
    #[error("a head that cannot be read")]
    Head,
    #[error("{0}")]
    Meaning(&'static str),
}

/// The frame would be longer than the other side accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is too long")]
pub(crate) struct TooLong;

/// Appends to bytes that are there already.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends a frame up to its payload, which is to follow.
///
/// # Errors
///
/// [`TooLong`], and then nothing was appended.
pub(crate) fn encode<H: Head>(
    head: &H,
    payload_bytes: usize,
    into: &mut Vec<u8>,
) -> Result<(), TooLong> {
    let begin = into.len();
    into.extend_from_slice(&[0; PREFIX + HEAD_PREFIX]);
    let head_begin = into.len();
    let written = postcard::serialize_with_flavor(head, Append(into));
    let head_bytes = into.len() - head_begin;
    let length = HEAD_PREFIX + head_bytes + payload_bytes;
    if written.is_err() || head_bytes > H::LONGEST || length > LONGEST_FRAME {
        into.truncate(begin);
        return Err(TooLong);
    }
    // Both are below the longest frame, which fits.
    let [length, head_bytes] = [length, head_bytes].map(|bytes| (bytes as u32).to_le_bytes());
    into[begin..begin + PREFIX].copy_from_slice(&length);
    into[begin + PREFIX..head_begin].copy_from_slice(&head_bytes);
    Ok(())
}

/// The length of the frame that begins with `prefix`.
///
/// # Errors
///
/// [`Malformed::Length`] where no frame is that long.
pub(crate) fn length(prefix: [u8; PREFIX]) -> Result<usize, Malformed> {
    let length = u32::from_le_bytes(prefix) as usize;
    if (HEAD_PREFIX..=LONGEST_FRAME).contains(&length) {
        Ok(length)
    } else {
        Err(Malformed::Length(length))
    }
}

/// Reads a whole frame, given without the bytes that hold its length.
///
/// # Errors
///
/// [`Malformed`] for anything that [`encode`] does not write.
pub(crate) fn decode<H: Head>(content: &Bytes) -> Result<Frame<H>, Malformed> {
    let Some((prefix, rest)) = content.split_first_chunk::<HEAD_PREFIX>() else {
        return Err(Malformed::Length(content.len()));
    };
    let head_bytes = u32::from_le_bytes(*prefix) as usize;
    if head_bytes > H::LONGEST || head_bytes > rest.len() {
        return Err(Malformed::HeadLength(head_bytes));
    }
    let (head, rest) =
        postcard::take_from_bytes::<H>(&rest[..head_bytes]).map_err(|_| Malformed::Head)?;
    if !rest.is_empty() {
        return Err(Malformed::Head);
    }
    let payload = content.slice(HEAD_PREFIX + head_bytes..);
    Ok(Frame {
        head,
        payload: unpinned(payload),
    })
}

/// What is small is copied, so that it does not keep the whole buffer that it arrived in.
fn unpinned(payload: Bytes) -> Bytes {
    const SMALL: usize = 4096;
    if payload.len() <= SMALL {
        Bytes::copy_from_slice(&payload)
    } else {
        payload
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Said {
        Nothing,
        Words(Vec<String>),
    }

    impl Head for Said {
        const LONGEST: usize = 64;
    }

    fn encoded(head: &Said, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(head, payload.len(), &mut bytes).expect("short enough");
        bytes.extend_from_slice(payload);
        bytes
    }

    fn content(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(&bytes[PREFIX..])
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in() {
        let said = Said::Words(vec!["a".to_owned(), String::new()]);
        let bytes = encoded(&said, b"payload");
        let prefix = *bytes.first_chunk().expect("four bytes");
        assert_eq!(length(prefix), Ok(bytes.len() - PREFIX));
        let frame = decode::<Said>(&content(&bytes)).expect("a frame");
        assert_eq!(frame.head, said);
        assert_eq!(frame.payload, "payload");
    }

    #[test]
    fn what_is_too_long_is_neither_written_nor_read() {
        let mut bytes = vec![7];
        let long = Said::Words(vec!["x".repeat(100)]);
        assert_eq!(encode(&long, 0, &mut bytes), Err(TooLong));
        assert_eq!(
            encode(&Said::Nothing, LONGEST_FRAME, &mut bytes),
            Err(TooLong)
        );
        assert_eq!(bytes, [7]);
        assert!(length(u32::MAX.to_le_bytes()).is_err());
        assert!(length(3_u32.to_le_bytes()).is_err());
        let mut claims = encoded(&Said::Nothing, &[0; 100]);
        claims[PREFIX] = 65;
        assert!(matches!(
            decode::<Said>(&content(&claims)),
            Err(Malformed::HeadLength(65))
        ));
    }

    #[test]
    fn a_head_with_less_or_more_than_it_says_is_malformed() {
        let whole = encoded(&Said::Words(vec!["abc".to_owned()]), b"");
        for cut in 0..whole.len() - PREFIX {
            let cut = Bytes::copy_from_slice(&whole[PREFIX..PREFIX + cut]);
            assert!(decode::<Said>(&cut).is_err());
        }
        let mut longer = encoded(&Said::Nothing, b"xyz");
        longer[PREFIX] += 1;
        assert!(matches!(
            decode::<Said>(&content(&longer)),
            Err(Malformed::Head)
        ));
        let unknown = Bytes::from_static(&[1, 0, 0, 0, 9]);
        assert!(matches!(decode::<Said>(&unknown), Err(Malformed::Head)));
    }
}

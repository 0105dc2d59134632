//! WebSockets: a fetch of a `ws:` or `wss:` URL, whose two bodies carry messages in both directions.
//! Runs on the scheduler's threads.
//!
//! In the bodies each message is a byte that says what it is, four bytes with its length (the most
//! significant first), and its payload. That of a close is empty, or a code of two bytes and a reason.

use std::borrow::Cow;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::Upgraded;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use url::Url;

use crate::http_client::describe;
use crate::{Body, BodyReader, BodyWriter, FetchError, FetchRequest, FetchResponse, StreamError};

/// The longest message, in either direction.
const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// What stands before a payload.
const HEAD_BYTES: usize = 5;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// The request that opens a WebSocket.
pub(crate) struct Opening {
    url: Url,
    key: String,
    protocols: Option<String>,
}

impl Opening {
    /// What a request asks to open; `None` where it is an ordinary fetch.
    pub(crate) fn of(request: &FetchRequest) -> Result<Option<Self>, FetchError> {
        let Some(url) = with_http_scheme(&request.url) else {
            return Ok(None);
        };
        let url = Url::parse(&url).map_err(|_| FetchError::InvalidUrl)?;
        let protocols = request.headers.iter();
        let mut protocols = protocols.filter(|(name, _)| name == SEC_WEBSOCKET_PROTOCOL.as_str());
        Ok(Some(Self {
            url,
            key: generate_key(),
            protocols: protocols.next().map(|(_, value)| value.clone()),
        }))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn request(&self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let request = client
            .get(self.url.clone())
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &self.key);
        match &self.protocols {
            Some(protocols) => request.header(SEC_WEBSOCKET_PROTOCOL, protocols),
            None => request,
        }
    }

    /// Looks whether the server agreed, and starts to carry messages.
    pub(crate) async fn accept(
        self,
        response: reqwest::Response,
        outgoing: Body,
    ) -> Result<FetchResponse, FetchError> {
        let header = |name| {
            let value = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or("")
        };
        let refuse = |why: &str| Err(FetchError::Protocol(why.into()));
        if response.status() != http::StatusCode::SWITCHING_PROTOCOLS
            || !header(UPGRADE).eq_ignore_ascii_case("websocket")
            || !header(CONNECTION).eq_ignore_ascii_case("upgrade")
        {
            return refuse("the server did not open a WebSocket");
        }
        if header(SEC_WEBSOCKET_ACCEPT) != derive_accept_key(self.key.as_bytes()) {
            return refuse("the server accepted another WebSocket");
        }
        let protocol = header(SEC_WEBSOCKET_PROTOCOL).to_owned();
        let mut offered = self.protocols.iter().flat_map(|all| all.split(", "));
        if !protocol.is_empty() && !offered.any(|one| one == protocol) {
            return refuse("the server chose a subprotocol that was not offered");
        }
        let Body::Stream(outgoing) = outgoing else {
            return refuse("there is nothing to send messages by");
        };
        let upgraded = response.upgrade().await;
        let upgraded = upgraded.map_err(|error| FetchError::Protocol(describe(&error).into()))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
        let (writer, incoming) = BodyReader::channel(64);
        tokio::spawn(carry(socket, outgoing, writer));
        Ok(FetchResponse {
            status: 101,
            headers: vec![(SEC_WEBSOCKET_PROTOCOL.to_string(), protocol)],
            body: Body::Stream(incoming),
            ..FetchResponse::default()
        })
    }
}

/// The URL that a WebSocket is asked for at; `None` where it is not one's.
fn with_http_scheme(url: &str) -> Option<String> {
    let rest = url.strip_prefix("ws")?;
    (rest.starts_with(':') || rest.starts_with("s:")).then(|| format!("http{rest}"))
}

type Sink = SplitSink<WebSocketStream<Upgraded>, Message>;
type Source = SplitStream<WebSocketStream<Upgraded>>;

/// Carries messages until the connection ends, or the guest's side of it does.
async fn carry(socket: WebSocketStream<Upgraded>, outgoing: BodyReader, incoming: BodyWriter) {
    let (sink, source) = socket.split();
    tokio::select! {
        () = send_all(sink, outgoing) => {}
        () = receive_all(source, incoming) => {}
    }
}

/// Sends what the guest says. Returns once it says nothing any more: its request ended.
async fn send_all(mut sink: Sink, mut outgoing: BodyReader) {
    let mut buffer = BytesMut::new();
    while let Some(Ok(chunk)) = outgoing.next().await {
        buffer.extend_from_slice(&chunk);
        loop {
            match take_message(&mut buffer) {
                Ok(Some(message)) => {
                    // Where the connection is gone, the other direction says so.
                    if sink.send(message).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                Ok(None) => break,
                Err(TooLong) => return,
            }
        }
    }
}

/// Hands on what the server says, at the pace at which the guest reads it.
async fn receive_all(mut source: Source, incoming: BodyWriter) {
    while let Some(received) = source.next().await {
        let message = match received {
            Ok(Message::Text(text)) => frame(TEXT, text.as_bytes()),
            Ok(Message::Binary(bytes)) => frame(BINARY, &bytes),
            Ok(Message::Close(why)) => frame(CLOSE, &close_payload(why)),
            Ok(_) => continue,
            Err(error) => {
                incoming.fail(StreamError::Connection(describe(&error).into()));
                return;
            }
        };
        if incoming.send(message).await.is_err() {
            return;
        }
    }
}

struct TooLong;

/// The next message of the guest's that is complete.
fn take_message(buffer: &mut BytesMut) -> Result<Option<Message>, TooLong> {
    let Some(head) = buffer.first_chunk::<HEAD_BYTES>() else {
        return Ok(None);
    };
    let [kind, length @ ..] = *head;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_MESSAGE_BYTES {
        return Err(TooLong);
    }
    if buffer.len() < HEAD_BYTES + length {
        return Ok(None);
    }
    buffer.advance(HEAD_BYTES);
    let mut payload = buffer.split_to(length).freeze();
    Ok(Some(match kind {
        TEXT => Message::text(String::from_utf8_lossy(&payload).into_owned()),
        CLOSE if payload.len() >= 2 => {
            let code = payload.get_u16().into();
            let reason: Cow<str> = String::from_utf8_lossy(&payload);
            let reason = reason.as_ref().into();
            Message::Close(Some(CloseFrame { code, reason }))
        }
        CLOSE => Message::Close(None),
        _ => Message::Binary(payload),
    }))
}

fn frame(kind: u8, payload: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(HEAD_BYTES + payload.len());
    message.put_u8(kind);
    message.put_u32(u32::try_from(payload.len()).expect("messages are short"));
    message.put_slice(payload);
    message.freeze()
}

fn close_payload(why: Option<CloseFrame>) -> Bytes {
    let mut payload = BytesMut::new();
    if let Some(why) = why {
        payload.put_u16(why.code.into());
        payload.put_slice(why.reason.as_bytes());
    }
    payload.freeze()
}

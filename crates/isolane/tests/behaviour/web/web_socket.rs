//! WebSockets, against a server of the tests' own.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use isolane::{Outbound, WorkerDefinition};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::passes_in;

/// Serves WebSockets that answer every message with itself, and what is asked for by name; says when
/// one has ended.
fn serve() -> (SocketAddr, Receiver<()>) {
    let (tell, told) = channel();
    let (end, ended) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("it is bound");
            tell.send(address).expect("the test waits");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, end.clone()));
            }
        });
    });
    (told.recv().expect("the server has started"), ended)
}

#[expect(clippy::result_large_err, reason = "the library's signature")]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if let Some(protocols) = request.headers().get("sec-websocket-protocol") {
        let protocols = protocols.to_str().expect("ASCII");
        let last = protocols.rsplit(", ").next().expect("one at least");
        let last = last.parse().expect("a header's value");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", last);
    }
    Ok(response)
}

async fn answer(stream: tokio::net::TcpStream, end: Sender<()>) {
    talk(stream).await;
    let _ = end.send(());
}

async fn talk(stream: tokio::net::TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, choose).await else {
        return;
    };
    while let Some(Ok(message)) = socket.next().await {
        match &message {
            Message::Text(text) if text.as_str() == "close me" => {
                let frame = CloseFrame {
                    code: 4001.into(),
                    reason: "as asked".into(),
                };
                let _ = socket.close(Some(frame)).await;
            }
            Message::Text(text) if text.as_str() == "vanish" => return,
            Message::Text(text) if text.as_str() == "flood" => {
                let long = Message::binary(vec![0; (1 << 20) + 1]);
                let _ = socket.send(long).await;
            }
            Message::Text(_) | Message::Binary(_) => {
                let _ = socket.send(message).await;
            }
            _ => {}
        }
    }
}

fn with_server(outbound: Outbound, body: &str) -> Receiver<()> {
    let (address, ended) = serve();
    passes_in(
        |source| {
            let mut worker = WorkerDefinition::script(format!(
                "const url = 'ws://{address}/path';
                 const event = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, {{ once: true }}));
                 {source}"
            ));
            worker.outbound = outbound;
            worker
        },
        body,
    );
    ended
}

#[test]
fn messages_go_both_ways() {
    with_server(
        Outbound::Any,
        "const socket = new WebSocket(url, ['one', 'two']);
         same([socket.readyState, socket.url, socket.protocol, socket.binaryType, WebSocket.CLOSED, socket.OPEN], [0, url, '', 'blob', 3, 1]);
         throws('InvalidStateError', () => socket.send('early'));
         await event(socket, 'open');
         same([socket.readyState, socket.protocol, socket.extensions], [1, 'two', '']);
         const seen = [];
         socket.onmessage = (event) => seen.push(event.data);
         socket.send('text ü'); socket.send(new Uint8Array([1, 2])); socket.send(new Blob(['blob'])); socket.send('');
         same(socket.bufferedAmount, 13);
         while (seen.length < 4) await event(socket, 'message');
         same([seen[0], seen[1] instanceof Blob, await seen[2].text(), seen[3]], ['text ü', true, 'blob', '']);
         same(socket.bufferedAmount, 0);
         socket.binaryType = 'arraybuffer'; socket.binaryType = 'nonsense';
         const big = new Uint8Array(300_000).fill(7);
         socket.send(big);
         const { data, origin, isTrusted } = await event(socket, 'message');
         same([data.byteLength, new Uint8Array(data)[299_999], origin, isTrusted], [300_000, 7, new URL(url).origin, true]);
         socket.close(3000, 'done');
         same(socket.readyState, 2);
         const closed = await event(socket, 'close');
         same([closed.code, closed.reason, closed.wasClean, socket.readyState, closed instanceof CloseEvent], [3000, 'done', true, 3, true]);",
    );
}

#[test]
fn the_server_may_end_it() {
    with_server(
        Outbound::Any,
        "const socket = new WebSocket(url.replace('ws:', 'http:')); await event(socket, 'open');
         socket.send('close me');
         const closed = await event(socket, 'close');
         same([closed.code, closed.reason, closed.wasClean], [4001, 'as asked', true]);
         for (const word of ['vanish', 'flood']) {
           const other = new WebSocket(url); await event(other, 'open');
           other.send(word);
           const errors = event(other, 'error');
           const lost = await event(other, 'close');
           same([lost.code, lost.wasClean, other.readyState, (await errors).type], [1006, false, 3, 'error']);
         }",
    );
}

#[test]
fn what_cannot_be_opened_is_an_error() {
    with_server(
        Outbound::Any,
        "for (const bad of ['relative', 'ftp://x/', 'ws://x/#a']) throws('SyntaxError', () => new WebSocket(bad));
         throws('SyntaxError', () => new WebSocket(url, ['a', 'a'])); throws('SyntaxError', () => new WebSocket(url, 'a b'));
         throws('TypeError', () => new WebSocket());
         const socket = new WebSocket(url);
         throws('InvalidAccessError', () => socket.close(1001)); throws('SyntaxError', () => socket.close(1000, 'x'.repeat(124)));
         socket.close();
         same((await event(socket, 'close')).code, 1006);
         const nobody = new WebSocket('ws://127.0.0.1:1/');
         same((await event(nobody, 'close')).wasClean, false);
         const long = new WebSocket(url); await event(long, 'open'); long.send('x'.repeat(2 ** 20 + 1));
         same((await event(long, 'close')).code, 1009);",
    );
}

#[test]
fn private_addresses_are_refused_as_they_are_to_fetch() {
    for outbound in [Outbound::Public, Outbound::None] {
        with_server(
            outbound,
            "const socket = new WebSocket(url);
             await event(socket, 'error');
             same(socket.readyState, 3);",
        );
    }
}

#[test]
fn a_socket_ends_with_its_request() {
    let ended = with_server(
        Outbound::Any,
        "const socket = new WebSocket(url); await event(socket, 'open'); socket.send('echo'); await event(socket, 'message');",
    );
    let waited = ended.recv_timeout(Duration::from_secs(20));
    waited.expect("the connection was closed");
}

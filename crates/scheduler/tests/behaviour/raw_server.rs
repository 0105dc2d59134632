//! A server that speaks in bytes, for what no well-behaved HTTP library would send.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server on 127.0.0.1 that hands each connection to its test once a request's head is there.
pub(crate) struct RawServer {
    pub(crate) address: SocketAddr,
}

impl RawServer {
    pub(crate) async fn start<F, R>(answer: F) -> RawServer
    where
        F: Fn(TcpStream) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    if read_head(&mut connection).await {
                        answer(connection).await;
                    }
                });
            }
        });
        RawServer { address }
    }

    /// A server that answers every request with these bytes and then closes.
    pub(crate) async fn saying(bytes: impl Into<Vec<u8>>) -> RawServer {
        let bytes = Arc::new(bytes.into());
        Self::start(move |mut connection| {
            let bytes = Arc::clone(&bytes);
            async move {
                // The client may have heard enough before the end.
                let _ = connection.write_all(&bytes).await;
                let _ = connection.shutdown().await;
            }
        })
        .await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn read_head(connection: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}

/// Writes `piece` again and again; the number of times, once the client has gone.
pub(crate) async fn repeat(connection: &mut TcpStream, piece: &[u8]) -> u64 {
    let mut written = 0;
    while connection.write_all(piece).await.is_ok() {
        written += 1;
    }
    written
}

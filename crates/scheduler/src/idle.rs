//! Ends exchanges that stand still, so that a silent server does not hold a fetch for ever.
//!
//! Runs on the scheduler's threads, inside the fetch or the read that it watches.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};

use crate::StreamError;

/// When an exchange last moved.
pub(crate) struct Progress {
    began: Instant,
    moved_after_ms: AtomicU64,
}

impl Progress {
    /// Begins now.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            moved_after_ms: AtomicU64::new(0),
        })
    }

    fn mark(&self) {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved_after_ms.store(elapsed, Ordering::Relaxed);
    }

    /// Marks each chunk that the exchange takes of a request's body.
    pub(crate) fn watch<S: Stream>(
        self: &Arc<Self>,
        body: S,
    ) -> impl Stream<Item = S::Item> + use<S> {
        let progress = Arc::clone(self);
        body.inspect(move |_| progress.mark())
    }

    /// Waits for `future`; none if the exchange stood still for `limit` before.
    pub(crate) async fn limit<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.stalled(limit) => None,
        }
    }

    async fn stalled(&self, limit: Duration) {
        loop {
            let moved = Duration::from_millis(self.moved_after_ms.load(Ordering::Relaxed));
            let due = self.began + moved + limit;
            if Instant::now() >= due {
                return;
            }
            sleep_until(due).await;
        }
    }
}

/// Fails a body whose next chunk takes longer than `limit`, counted from when it is asked for.
pub(crate) fn limit_chunks(
    body: BoxStream<'static, Result<Bytes, StreamError>>,
    limit: Duration,
) -> BoxStream<'static, Result<Bytes, StreamError>> {
    let timed_out = || StreamError::Connection("the server stopped sending".into());
    let chunks = stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(limit, body.next()).await {
            Ok(chunk) => chunk.map(|chunk| (chunk, Some(body))),
            Err(_) => Some((Err(timed_out()), None)),
        }
    });
    chunks.boxed()
}

//! The requests that a child process runs for its parent: how each is answered, and what the parent is
//! told of them meanwhile. Lanes' threads answer; a task of the scheduler's reports.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::error::Error;
use crate::limits::LimitKind;
use crate::outbound::scheduler;
use crate::pool::core::Pool;
use crate::request::{LogEntry, LogSink, Response, Usage};
use crate::runtime::ticket::RequestObserver;
use crate::settlement::AbortHandle;

use super::bodies::Streams;
use super::frame::LONGEST_FRAME;
use super::outbox::Outbox;
use super::protocol::{AnswerHead, Counters, FromChild, LogHead, Tick, WorkerCounters};

/// How often the parent hears of a child with requests.
const TICK: Duration = Duration::from_millis(50);

/// How many requests one report names at most.
const MOST_BEGAN: usize = 10_000;

/// How long a console message may be.
const LONGEST_LOG: usize = LONGEST_FRAME / 8;

/// What a child's requests share.
pub(crate) struct Requests {
    outbox: Arc<Outbox>,
    streams: Arc<Streams>,
    unended: Mutex<HashMap<u64, Unended>>,
    /// Signalled when there is a request where there was none.
    busy: Notify,
}

/// A request that has not ended.
#[derive(Default)]
struct Unended {
    began: Began,
    /// How it is aborted, once it has been put into the pool.
    abort: Option<AbortHandle>,
}

/// Whether a request had its first turn, and whether the parent knows.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Began {
    #[default]
    No,
    Untold,
    Told,
}

impl Requests {
    pub(crate) fn new(outbox: Arc<Outbox>, streams: Arc<Streams>) -> Arc<Self> {
        Arc::new(Self {
            outbox,
            streams,
            unended: Mutex::default(),
            busy: Notify::new(),
        })
    }

    /// The record of a request that comes in.
    pub(crate) fn record(self: &Arc<Self>, request: u64) -> Arc<Record> {
        let first = {
            let mut unended = self.unended.lock();
            unended.insert(request, Unended::default());
            unended.len() == 1
        };
        if first {
            self.busy.notify_one();
        }
        Arc::new(Record {
            request,
            progress: AtomicU8::new(0),
            requests: self.clone(),
        })
    }

    /// Notes how a request is aborted, unless it has ended meanwhile.
    pub(crate) fn launched(&self, request: u64, abort: AbortHandle) {
        if let Some(unended) = self.unended.lock().get_mut(&request) {
            unended.abort = Some(abort);
        }
    }

    /// Ends a request, wherever it is; does nothing once it has ended.
    pub(crate) fn abort(&self, request: u64) {
        let abort = self
            .unended
            .lock()
            .get(&request)
            .and_then(|unended| unended.abort.clone());
        // With no lock held: a request that this ends takes it.
        if let Some(abort) = abort {
            abort.abort();
        }
    }

    /// Where consoles go; `own` for requests with a listener of their own.
    pub(crate) fn log_sink(&self, own: bool) -> LogSink {
        let outbox = self.outbox.clone();
        Arc::new(move |entry| log(&outbox, entry, own))
    }

    /// Reports to the parent: at once, then while there are requests, and once after.
    pub(crate) fn report(self: &Arc<Self>, pool: &Arc<Pool>) {
        let (requests, pool) = (self.clone(), pool.clone());
        scheduler().spawn(async move {
            loop {
                let idle = requests.tick(&pool);
                if idle {
                    requests.busy.notified().await;
                }
                tokio::time::sleep(TICK).await;
            }
        });
    }

    /// Sends one report; says whether nothing is going on.
    fn tick(&self, pool: &Pool) -> bool {
        let (began, idle) = {
            let mut unended = self.unended.lock();
            let untold = unended
                .iter_mut()
                .filter(|(_, unended)| unended.began == Began::Untold);
            let began = untold.take(MOST_BEGAN).map(|(request, unended)| {
                unended.began = Began::Told;
                *request
            });
            (began.collect(), unended.is_empty())
        };
        let tick = FromChild::Tick(tick_of(pool, began));
        if self.outbox.send(&tick, Bytes::new()).is_err()
            && let FromChild::Tick(tick) = tick
        {
            // Too many workers with long ids: without them it fits.
            let workers = Vec::new();
            let tick = FromChild::Tick(Tick { workers, ..tick });
            let _ = self.outbox.send(&tick, Bytes::new());
        }
        idle
    }
}

fn tick_of(pool: &Pool, began: Vec<u64>) -> Tick {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let stats = pool.stats();
    let workers = stats
        .workers
        .into_iter()
        .filter(|worker| worker.isolates > 0);
    Tick {
        began,
        counters: Counters {
            total: count(stats.total),
            cached: count(stats.cached),
            queued: count(stats.queued),
            hits: stats.hits,
            misses: stats.misses,
            evictions: stats.evictions,
            condemned: stats.condemned,
        },
        workers: workers
            .map(|worker| WorkerCounters {
                id: worker.id,
                isolates: count(worker.isolates),
                heap_used_bytes: worker.heap_used_bytes as u64,
            })
            .collect(),
    }
}

const ANSWERED: u8 = 1;
const ENDED: u8 = 2;

/// One request of the parent's.
pub(crate) struct Record {
    request: u64,
    progress: AtomicU8,
    requests: Arc<Requests>,
}

impl Record {
    /// Notes the answer; says whether the request had ended before, so that the answer is the last
    /// that is to be said of it.
    fn answered(&self) -> bool {
        self.progress.fetch_or(ANSWERED, Ordering::AcqRel) & ENDED != 0
    }

    /// Sends the answer to a `fetch` event.
    pub(crate) fn answer(&self, result: Result<Response, Error>) {
        let (request, ended) = (self.request, self.answered());
        let response = match result {
            Ok(response) => response,
            Err(error) => return self.fail(ended, error),
        };
        let Requests {
            outbox, streams, ..
        } = &*self.requests;
        let (body, payload, announced) = streams.announce(response.body);
        let head = AnswerHead {
            status: response.status,
            status_text: response.status_text,
            headers: response.headers,
            body,
            usage: response.usage,
        };
        let head = FromChild::Answered {
            request,
            ended,
            head,
        };
        match outbox.send(&head, payload) {
            Ok(()) => streams.start(announced),
            // The head is longer than the parent takes; a stream ends with its reader.
            Err(_) => self.fail(ended, Error::limit(LimitKind::Response)),
        }
    }

    /// Sends the answer to an event that is only handled.
    pub(crate) fn handled(&self, result: Result<Usage, Error>) {
        let (request, ended) = (self.request, self.answered());
        match result {
            Ok(usage) => self.send(&FromChild::Handled {
                request,
                ended,
                usage,
            }),
            Err(error) => self.fail(ended, error),
        }
    }

    fn fail(&self, ended: bool, error: Error) {
        self.send(&FromChild::Failed {
            request: self.request,
            ended,
            error: error.into(),
        });
    }

    fn send(&self, head: &FromChild) {
        // What is sent here is shortened to fit.
        let _ = self.requests.outbox.send(head, Bytes::new());
    }
}

impl RequestObserver for Record {
    fn began(&self) {
        if let Some(unended) = self.requests.unended.lock().get_mut(&self.request) {
            unended.began = Began::Untold;
        }
    }

    fn ended(&self) {
        let unended = self.requests.unended.lock().remove(&self.request);
        drop(unended);
        let before = self.progress.fetch_or(ENDED, Ordering::AcqRel);
        if before & ANSWERED != 0 {
            self.send(&FromChild::Ended {
                request: self.request,
            });
        }
    }
}

fn log(outbox: &Outbox, entry: LogEntry, own: bool) {
    let mut message = entry.message;
    message.truncate(message.floor_char_boundary(LONGEST_LOG));
    let head = FromChild::Log(LogHead {
        request: entry.request_id,
        worker_id: entry.worker_id.map(|id| id.to_string()),
        level: entry.level,
        timestamp_ms: entry.timestamp_ms,
        own,
    });
    // Only a worker's id could be too long, and the parent has sent that itself.
    let _ = outbox.send(&head, message.into());
}

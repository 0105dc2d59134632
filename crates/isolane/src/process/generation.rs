//! One child process from its start to its end, and the requests that it runs. Callers' threads put
//! requests in; the supervisor's thread reads the child's answers and ends what is left.

use std::collections::HashMap;
use std::io::PipeReader;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use isolane_scheduler::{RequestId, StreamError};
use parking_lot::Mutex;

use crate::definition::WorkerDefinition;
use crate::error::Error;
use crate::request::{LogSink, RunOptions};
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;

use super::bodies::{Announced, Streams};
use super::death::{Death, blamed};
use super::frame::TooLong;
use super::host::{Counted, Host};
use super::host_calls::HostCalls;
use super::inbox::{Ended, Inbox};
use super::last_words::LastWords;
use super::outbox::Outbox;
use super::program::Spawned;
use super::protocol::{Configuration, StartHead, Tick, ToChild, WireEvent, WorkerKey};
use super::workers::Deployed;

/// A request that a child runs.
pub(crate) struct InFlight {
    /// Who waits; nobody once it was answered.
    pub(crate) responder: Responder,
    pub(crate) on_log: Option<LogSink>,
    /// The child forgets a worker that nothing holds.
    _worker: Arc<Deployed>,
    pub(crate) wall: Option<Duration>,
    pub(crate) sent: Instant,
    /// When the child said that it had begun.
    pub(crate) began: Option<Instant>,
    _counted: Counted,
}

/// A request on its way to a child.
pub(crate) struct Job {
    pub(crate) request: RequestId,
    pub(crate) worker: Arc<Deployed>,
    pub(crate) event: Event,
    pub(crate) responder: Responder,
    pub(crate) options: RunOptions,
}

#[derive(Default)]
pub(crate) struct Table {
    ended: bool,
    pub(crate) requests: HashMap<RequestId, InFlight>,
    /// The workers that the child knows, until it says that it uses nothing of them any more.
    pub(crate) defined: HashMap<WorkerKey, Arc<WorkerDefinition>>,
}

/// The process itself.
#[derive(Default)]
struct Process {
    child: Option<Child>,
    /// Why it was ended by us.
    verdict: Option<Death>,
}

/// One child process and what it has to do.
pub(crate) struct Generation {
    pub(crate) host: Arc<Host>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) calls: HostCalls,
    pub(crate) table: Mutex<Table>,
    process: Mutex<Process>,
    /// When the first word of the child came.
    pub(crate) ready: OnceLock<Instant>,
    /// Milliseconds from `ready` to its latest word.
    heard: AtomicU64,
    /// Whether it has answered anything.
    pub(crate) served: AtomicBool,
    /// What it reported last.
    pub(crate) tick: Mutex<Tick>,
}

impl Generation {
    /// What is to become of a child that is not started yet; requests may be put in already.
    pub(crate) fn new(host: &Arc<Host>) -> Arc<Self> {
        let outbox = Arc::new(Outbox::default());
        let out = outbox.clone();
        let streams = Streams::new(move |flow, payload| {
            // Chunks are shorter than the longest frame.
            let _ = out.send(&ToChild::Flow(flow), payload);
        });
        let options = &host.options;
        let configuration = ToChild::Configure(Configuration {
            max_isolates: options.max_isolates,
            max_isolates_per_worker: options.max_isolates_per_worker,
            max_memory_bytes: options.max_memory_bytes,
            threads: options.threads,
            max_queue: options.max_queue,
            limits: options.limits.into(),
            logs: options.on_log.is_some(),
        });
        // A few numbers: never too long.
        let _ = outbox.queue(&configuration, Bytes::new());
        Arc::new(Self {
            host: host.clone(),
            calls: HostCalls::new(outbox.clone(), streams.clone()),
            outbox,
            streams,
            table: Mutex::default(),
            process: Mutex::default(),
            ready: OnceLock::new(),
            heard: AtomicU64::new(0),
            served: AtomicBool::new(false),
            tick: Mutex::default(),
        })
    }

    /// Sends a request; gives it back where the child has ended.
    pub(crate) fn start(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        let mut table = self.table.lock();
        if table.ended {
            return Err(job);
        }
        self.define(&mut table, &job.worker);
        let Job {
            request,
            worker,
            event,
            responder,
            options,
        } = *job;
        let limits = worker.definition.limits;
        let limits = options
            .limits
            .or(limits)
            .unwrap_or(self.host.options.limits);
        match self.queue(request, &worker, event, &options) {
            Ok(announced) => {
                let in_flight = InFlight {
                    responder,
                    on_log: options.on_log,
                    _worker: worker,
                    wall: limits.wall,
                    sent: Instant::now(),
                    began: None,
                    _counted: Counted::new(&self.host),
                };
                table.requests.insert(request, in_flight);
                drop(table);
                self.outbox.flush();
                self.streams.start(announced);
            }
            Err(TooLong) => {
                drop(table);
                let expected = "a URL and headers that fit into a message";
                responder.fail(Error::invalid_arg("request", expected, "longer ones"));
            }
        }
        Ok(())
    }

    /// Tells the child of a worker, if it does not know it.
    fn define(&self, table: &mut Table, worker: &Arc<Deployed>) {
        if table.defined.contains_key(&worker.key) {
            return;
        }
        let define = ToChild::Define {
            key: worker.key,
            id: worker.id.to_string(),
            // Looked at under the table's lock: who makes it live later finds it defined.
            live: self.host.workers.is_live(worker),
        };
        // That it is not too long was seen to when it was deployed.
        let _ = self.outbox.queue(&define, worker.encoded.clone());
        table.defined.insert(worker.key, worker.definition.clone());
    }

    fn queue(
        &self,
        request: RequestId,
        worker: &Deployed,
        event: Event,
        options: &RunOptions,
    ) -> Result<Option<Announced>, TooLong> {
        let (event, payload, announced) = match event {
            Event::Fetch(request) => {
                let (body, payload, announced) = self.streams.announce(request.body);
                let fetch = WireEvent::Fetch {
                    method: request.method,
                    url: request.url,
                    headers: request.headers,
                    body,
                };
                (fetch, payload, announced)
            }
            Event::Scheduled(event) => (WireEvent::Scheduled(event), Bytes::new(), None),
            // Pools evaluate nothing but a worker's own modules.
            Event::Load | Event::Evaluate { .. } => (WireEvent::Load, Bytes::new(), None),
        };
        let start = ToChild::Start(StartHead {
            request,
            worker: worker.key,
            event,
            limits: options.limits.map(Into::into),
            logs: options.on_log.is_some(),
        });
        self.outbox
            .queue_counted(&start, payload, &worker.unsent)
            .map(|()| announced)
    }

    /// Ends a request from outside, if this child runs it.
    pub(crate) fn abort(&self, request: RequestId) {
        let table = self.table.lock();
        if !table.requests.contains_key(&request) {
            return;
        }
        let _ = self.outbox.queue(&ToChild::Abort { request }, Bytes::new());
        drop(table);
        self.outbox.flush();
    }

    /// Tells the child what became of a worker, if the child knows it.
    pub(crate) fn tell(&self, key: WorkerKey, what: &ToChild) {
        let table = self.table.lock();
        if !table.defined.contains_key(&key) {
            return;
        }
        // Under the lock, so that nothing of the worker comes after its end.
        let _ = self.outbox.queue(what, Bytes::new());
        drop(table);
        self.outbox.flush();
    }

    /// Serves with a child until that has ended, for whichever reason.
    pub(crate) fn serve(&self, spawned: Spawned) -> Death {
        let Spawned {
            child,
            socket,
            last_words,
        } = spawned;
        let socket = Arc::new(socket);
        self.adopt(child);
        let attached = self.outbox.attach(socket.clone());
        let ended = match attached {
            Ok(()) => self.read(Inbox::new(socket)),
            Err(error) => Ended::Broken(error),
        };
        self.bury(&ended, last_words)
    }

    fn read(&self, mut inbox: Inbox) -> Ended {
        loop {
            match inbox.next() {
                Ok(frame) => {
                    self.note_word();
                    if let Err(malformed) = self.take_in(frame) {
                        return malformed.into();
                    }
                }
                Err(ended) => return ended,
            }
        }
    }

    fn note_word(&self) {
        let since = self.ready.get_or_init(Instant::now).elapsed();
        let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        self.heard.store(since, Ordering::Relaxed);
    }

    /// How long the child has said nothing; `None` before its first word.
    pub(crate) fn silence(&self) -> Option<Duration> {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        Some(self.ready.get()?.elapsed().saturating_sub(heard))
    }

    fn adopt(&self, mut child: Child) {
        let mut process = self.process.lock();
        if process.verdict.is_some() {
            // It has gone by itself where this fails.
            let _ = child.kill();
        }
        process.child = Some(child);
    }

    /// Makes sure that the child has ended, and says why it did.
    fn bury(&self, ended: &Ended, last_words: PipeReader) -> Death {
        let (child, verdict) = {
            let mut process = self.process.lock();
            (process.child.take(), process.verdict.take())
        };
        if let Some(mut child) = child {
            // It has gone by itself where this fails.
            let _ = child.kill();
            let _ = child.wait();
        }
        if let Some(verdict) = verdict {
            return verdict;
        }
        if matches!(ended, Ended::Malformed(_)) {
            return Death::Misbehaved;
        }
        // Whatever a copy of the pipe in another process does: the words are there or will not come.
        let open = rustix::io::ioctl_fionbio(&last_words, true).is_ok();
        Death::Crashed(open.then(|| LastWords::read(last_words)).flatten())
    }

    /// Ends the child, now or as soon as it starts.
    pub(crate) fn kill(&self, verdict: Death) {
        let mut process = self.process.lock();
        process.verdict.get_or_insert(verdict);
        if let Some(child) = &mut process.child {
            let _ = child.kill();
        }
    }

    /// The child's process id, while it lives.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.process.lock().child.as_ref().map(Child::id)
    }

    /// Ends what the child had to do. A new generation must be in place: nothing is taken after this.
    pub(crate) fn end(&self, death: &Death) {
        let (requests, defined) = {
            let mut table = self.table.lock();
            table.ended = true;
            (
                std::mem::take(&mut table.requests),
                std::mem::take(&mut table.defined),
            )
        };
        self.outbox.close();
        self.calls.abandon_all();
        let error = death.error();
        let why = format!("{}: {error}", error.code());
        self.streams.fail_all(&StreamError::Guest(why.into()));
        let blamed = blamed(death, &requests);
        for (request, in_flight) in requests {
            match blamed {
                Some((culprit, limit)) if culprit == request => {
                    in_flight.responder.fail(Error::limit(limit));
                }
                _ => in_flight.responder.fail(error.clone()),
            }
        }
        drop(defined);
    }
}

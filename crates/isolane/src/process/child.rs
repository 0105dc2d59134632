//! The child process: an ordinary pool, driven by the frames that come from the parent. Its main
//! thread reads them; it ends with the connection, and at once.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Resource, Rlimit};

use crate::error::Error;
use crate::pool::core::{Launch, Pool};
use crate::pool::options::PoolOptions;
use crate::pool::registry::Deployment;
use crate::request::{Request, RunOptions};
use crate::runtime::active_request::Responder;
use crate::runtime::events::Event;

use super::bodies::Streams;
use super::definitions;
use super::frame::{Frame, Malformed};
use super::inbox::{Ended, Inbox};
use super::last_words;
use super::outbox::Outbox;
use super::program::Isolation;
use super::protocol::{Configuration, FromChild, StartHead, ToChild, WireEvent, WorkerKey};
use super::requests::Requests;
use super::stand_ins::{Calls, Lease, WorkerStandIns};

/// Where this process's own ids begin; the parent's, which name requests here too, are below.
const FIRST_OWN_ID: u64 = 1 << 52;

/// Serves the pool of the parent process until the connection ends.
pub(crate) fn serve() -> ! {
    // Whichever way it ends, the parent sees the connection go and knows what to do.
    let _ = catch_unwind(AssertUnwindSafe(|| prepare().map(run)));
    last_words::end_process()
}

/// Takes the connection from where the parent has put it, and arranges for how this process ends.
fn prepare() -> std::io::Result<UnixStream> {
    let take = |descriptor: std::os::fd::BorrowedFd<'_>| descriptor.try_clone_to_owned();
    let socket = take(rustix::stdio::stdin())?;
    let pipe: OwnedFd = take(rustix::stdio::stdout())?;
    // Nothing that a library prints or reads gets in between.
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(null.as_fd())?;
    rustix::stdio::dup2_stdout(null.as_fd())?;
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // A dump of guests' memory would be written into the host's working directory.
    rustix::process::setrlimit(Resource::Core, none)?;
    // For a child that does not see the connection go, because it is stopped or stuck.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    isolane_scheduler::raise_ids(FIRST_OWN_ID);
    last_words::prepare(pipe);
    Ok(UnixStream::from(socket))
}

fn run(socket: UnixStream) -> Result<(), Ended> {
    let socket = Arc::new(socket);
    let mut inbox = Inbox::new(socket.clone());
    let outbox = Arc::new(Outbox::default());
    outbox.attach(socket).map_err(Ended::Broken)?;
    let ToChild::Configure(configuration) = inbox.next()?.head else {
        return Err(Malformed::Meaning("it does not begin with its configuration").into());
    };
    let mut child = Child::new(configuration, outbox)
        .map_err(|error| Ended::Broken(std::io::Error::other(error)))?;
    loop {
        child.take_in(inbox.next()?)?;
    }
}

/// A worker as this process knows it.
struct ChildWorker {
    deployment: Arc<Deployment>,
    /// Its definition holds it too, for as long as it may call the parent.
    _lease: Arc<Lease>,
}

/// What the child's reading thread owns.
struct Child {
    pool: Arc<Pool>,
    outbox: Arc<Outbox>,
    streams: Arc<Streams>,
    calls: Arc<Calls>,
    requests: Arc<Requests>,
    workers: HashMap<WorkerKey, ChildWorker>,
}

impl Child {
    fn new(configuration: Configuration, outbox: Arc<Outbox>) -> Result<Self, Error> {
        let out = outbox.clone();
        let streams = Streams::new(move |flow, payload| {
            // Chunks are shorter than the longest frame.
            let _ = out.send(&FromChild::Flow(flow), payload);
        });
        let requests = Requests::new(outbox.clone(), streams.clone());
        let on_log = configuration.logs.then(|| requests.log_sink(false));
        let pool = Pool::new(PoolOptions {
            max_isolates: configuration.max_isolates,
            max_isolates_per_worker: configuration.max_isolates_per_worker,
            max_memory_bytes: configuration.max_memory_bytes,
            threads: configuration.threads,
            max_queue: configuration.max_queue,
            limits: configuration.limits.into(),
            on_log,
            grace: Duration::ZERO,
            isolation: Isolation::InProcess,
            process_memory_bytes: usize::MAX,
        })?;
        requests.report(&pool);
        Ok(Self {
            calls: Calls::new(outbox.clone(), streams.clone()),
            pool,
            outbox,
            streams,
            requests,
            workers: HashMap::new(),
        })
    }

    fn take_in(&mut self, frame: Frame<ToChild>) -> Result<(), Malformed> {
        let Frame { head, payload } = frame;
        match head {
            ToChild::Configure(_) => return Err(Malformed::Meaning("a second configuration")),
            ToChild::Define { key, id, live } => self.define(key, &id, live, &payload)?,
            ToChild::Install { key } => self.pool.install(self.worker(key)?),
            ToChild::Retire { key } => self.retire(&self.worker(key)?),
            ToChild::Forget { key } => {
                if let Some(worker) = self.workers.remove(&key) {
                    self.retire(&worker.deployment);
                }
            }
            ToChild::Start(start) => self.start(start, payload)?,
            ToChild::Abort { request } => self.requests.abort(request),
            ToChild::Flow(flow) => self.streams.take_in(flow, payload)?,
            ToChild::HostCallDone { call, result } => {
                self.calls.host_call_done(call, result, payload)?;
            }
            ToChild::OutboundDone { call, result } => {
                self.calls.outbound_done(call, result, payload)?;
            }
        }
        Ok(())
    }

    fn worker(&self, key: WorkerKey) -> Result<Arc<Deployment>, Malformed> {
        self.workers
            .get(&key)
            .map(|worker| worker.deployment.clone())
            .ok_or(Malformed::Meaning("a worker that was not defined"))
    }

    fn define(
        &mut self,
        key: WorkerKey,
        id: &str,
        live: bool,
        bytes: &Bytes,
    ) -> Result<(), Malformed> {
        let lease = Arc::new(Lease {
            worker: key,
            outbox: self.outbox.clone(),
        });
        let stand_ins = WorkerStandIns {
            calls: self.calls.clone(),
            lease: lease.clone(),
        };
        let definition = definitions::decode(bytes, &stand_ins)
            .ok_or(Malformed::Meaning("a definition that cannot be read"))?;
        let deployment = self
            .pool
            .new_deployment(id, Arc::new(definition), false, None);
        if live {
            self.pool.install(deployment.clone());
        }
        let worker = ChildWorker {
            deployment,
            _lease: lease,
        };
        self.workers.insert(key, worker);
        Ok(())
    }

    fn retire(&self, deployment: &Arc<Deployment>) {
        if self.pool.is_live(deployment) {
            self.pool.forget(&deployment.id);
        } else {
            self.pool.retire_all(deployment);
        }
    }

    fn start(&self, start: StartHead, payload: Bytes) -> Result<(), Malformed> {
        let deployment = self.worker(start.worker)?;
        let record = self.requests.record(start.request);
        let launch = |event| Launch {
            id: start.request,
            event,
            options: RunOptions {
                limits: start.limits.map(Into::into),
                on_log: start.logs.then(|| self.requests.log_sink(true)),
            },
            observer: Some(record.clone()),
        };
        let event = match start.event {
            WireEvent::Fetch {
                method,
                url,
                headers,
                body,
            } => {
                let body = self.streams.receive(body, payload)?;
                let event = Event::Fetch(Request {
                    method,
                    url,
                    headers,
                    body,
                });
                let future = self
                    .pool
                    .launch(deployment, Responder::Fetch, launch(event));
                let abort = future.on_ready(move |result| record.answer(result));
                self.requests.launched(start.request, abort);
                return Ok(());
            }
            WireEvent::Scheduled(event) => Event::Scheduled(event),
            WireEvent::Load => Event::Load,
        };
        let future = self
            .pool
            .launch(deployment, Responder::Scheduled, launch(event));
        let abort = future.on_ready(move |result| record.handled(result));
        self.requests.launched(start.request, abort);
        Ok(())
    }
}

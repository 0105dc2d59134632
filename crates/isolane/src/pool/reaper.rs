//! Where isolates begin and end without a request that waits for it: a thread drops those that left the
//! pool, makes some ahead for the next workers that need one, and sees to those that rest (`agenda.rs` has the
//! order). A drop takes a fifth of a millisecond, making one several. Where the thread falls behind
//! with drops, those who make isolates help, so that what waits to be dropped stays bounded.
//!
//! An isolate that left goes by its keepers first, for V8 to forget them (`kept_threads.rs`).

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Weak};
use std::time::Instant;

use crossbeam_queue::SegQueue;
use parking_lot::Mutex;

use crate::error::Error;
use crate::limits::Limits;
use crate::locker_managed_isolate::LockerManagedIsolate;
use crate::platform;
use crate::thread_priority;

use super::agenda::{Agenda, Errand};
use super::cooling::Watch;
use super::core::Pool;
use super::lane::Lane;

/// How many isolates may wait for the reaper's thread.
const BACKLOG: usize = 4;

/// How many isolates are made ahead once a worker has come while the only one was being made.
const MOST_SPARES: usize = 2;

/// Takes isolates to their end, and has others ready.
pub(crate) struct Reaper {
    exit: Exit,
    /// Those that made room for a request which has not run yet.
    displaced: SegQueue<LockerManagedIsolate>,
    spares: Arc<Mutex<Spares>>,
}

/// The way out, for any thread.
#[derive(Clone)]
struct Exit {
    leaving: Arc<SegQueue<LockerManagedIsolate>>,
    errands: Sender<Errand>,
}

impl Exit {
    fn take(&self, isolate: LockerManagedIsolate) {
        let Some(keeper) = isolate.forget_thread() else {
            self.leaving.push(isolate);
            return self.send(Errand::Drop);
        };
        let waiting = Arc::new(Mutex::new(Some(isolate)));
        self.send(Errand::Await(waiting.clone()));
        let exit = self.clone();
        keeper.ask(move || {
            let isolate = waiting.lock().take();
            if let Some(isolate) = isolate {
                exit.take(isolate);
            }
        });
    }

    fn send(&self, errand: Errand) {
        // The receiver lives until the last sender is gone.
        let _ = self.errands.send(errand);
    }
}

/// The isolates that are made ahead.
struct Spares {
    ready: Vec<LockerManagedIsolate>,
    coming: usize,
    /// How many there should be; none once the pool is closed.
    wanted: usize,
}

impl Default for Spares {
    fn default() -> Self {
        Self {
            ready: Vec::with_capacity(MOST_SPARES),
            coming: 0,
            wanted: 1,
        }
    }
}

impl Spares {
    /// None is wanted any more. Those that there are, to be dropped without a lock held.
    fn end(&mut self) -> Vec<LockerManagedIsolate> {
        self.wanted = 0;
        std::mem::take(&mut self.ready)
    }
}

impl Reaper {
    pub(crate) fn start() -> Result<Self, Error> {
        let spares = Arc::<Mutex<Spares>>::default();
        let (errands, receiver) = mpsc::channel();
        let leaving = Arc::new(SegQueue::new());
        let (queue, place) = (leaving.clone(), spares.clone());
        platform::spawn("isolane-reaper", move || {
            thread_priority::lower_most();
            let mut agenda = Agenda::default();
            while let Some(errand) = agenda.next(&receiver) {
                match errand {
                    Errand::Drop => drop::<Option<LockerManagedIsolate>>(queue.pop()),
                    Errand::Await(isolate) => agenda.waiting.push_back((Instant::now(), isolate)),
                    Errand::Make(limits, processor) => {
                        keep_clear_of(processor);
                        // Memory that is to come back does not wait for this.
                        while let Some(left) = queue.pop() {
                            drop(left);
                        }
                        make(&place, limits);
                    }
                    Errand::Watch(pool) => agenda.watch = Some(Watch::new(pool)),
                    Errand::KeepCode(lane) => agenda.code.push_back((Instant::now(), lane)),
                }
            }
            // Here, since whoever drops the pool may not enter isolates.
            let spares = place.lock().end();
            drop(spares);
        })
        .map_err(|error| Error::internal(format!("the reaper's thread: {error}")))?;
        Ok(Self {
            exit: Exit { leaving, errands },
            displaced: SegQueue::new(),
            spares,
        })
    }

    /// Has an isolate dropped, soon.
    pub(crate) fn take(&self, isolate: LockerManagedIsolate) {
        self.exit.take(isolate);
    }

    /// Has an isolate dropped that makes room for a request, once [that has run](Self::take_displaced): to wake the
    /// thread first takes as long as what the request itself needs, and has it wait for another processor.
    pub(crate) fn take_displaced_later(&self, isolate: LockerManagedIsolate) {
        self.displaced.push(isolate);
        if self.displaced.len() > BACKLOG {
            self.take_displaced();
        }
    }

    /// Has those dropped that made room for requests.
    pub(crate) fn take_displaced(&self) {
        while let Some(isolate) = self.displaced.pop() {
            self.take(isolate);
        }
    }

    /// Drops what the thread has not come to, on a thread that may enter isolates.
    pub(crate) fn help(&self) {
        while self.exit.leaving.len() > BACKLOG {
            drop(self.exit.leaving.pop());
        }
    }

    /// An isolate that was made ahead, where there is one that suits. On a thread that may enter isolates.
    pub(crate) fn spare(&self, limits: &Limits) -> Option<LockerManagedIsolate> {
        let mut spares = self.spares.lock();
        let suiting = spares.ready.iter().position(|spare| spare.suits(limits));
        if let Some(at) = suiting {
            return Some(spares.ready.swap_remove(at));
        }
        if spares.coming > 0 && spares.wanted > 0 {
            spares.wanted = MOST_SPARES;
        }
        // Those that do not suit are in the way of one that would: workers with these limits come now.
        let unsuitable = std::mem::take(&mut spares.ready);
        drop(spares);
        drop(unsuitable);
        None
    }

    /// Has a pool's isolates looked at until none wants it any more.
    pub(super) fn watch(&self, pool: Weak<Pool>) {
        self.exit.send(Errand::Watch(pool));
    }

    /// Has the code of a worker, whose first request has run here, kept for its next isolate, soon.
    pub(super) fn keep_code(&self, lane: &Arc<Lane>) {
        self.exit.send(Errand::KeepCode(Arc::downgrade(lane)));
    }

    /// Has an isolate made ahead, unless there are enough.
    pub(crate) fn make_spare(&self, limits: Limits) {
        let mut spares = self.spares.lock();
        if spares.ready.len() + spares.coming < spares.wanted {
            spares.coming += 1;
            self.exit
                .send(Errand::Make(limits, thread_priority::processor()));
        }
    }

    /// Has no isolate made ahead any more, and drops those that were. On a thread that may enter isolates.
    pub(crate) fn close(&self) {
        while let Some(isolate) = self.displaced.pop() {
            drop(isolate);
        }
        let spares = self.spares.lock().end();
        drop(spares);
    }
}

/// Has this thread run on another processor than whoever asked, which is in the middle of a request: the system
/// may wake it beside that thread though another processor has nothing to do, and leave both there.
fn keep_clear_of(processor: Option<u32>) {
    if processor.is_some() && processor == thread_priority::processor() {
        thread_priority::leave_processor();
    }
}

fn make(place: &Mutex<Spares>, limits: Limits) {
    if place.lock().wanted == 0 {
        return;
    }
    // Where none can be made, whoever needs one tries for itself and says why.
    let made = LockerManagedIsolate::unclaimed(limits).ok();
    let mut spares = place.lock();
    spares.coming -= 1;
    if spares.wanted > 0 {
        spares.ready.extend(made);
        return;
    }
    drop(spares);
    drop(made);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use futures_executor::block_on;

    use crate::definition::WorkerDefinition;
    use crate::pool::options::PoolOptions;
    use crate::request::{RunOptions, ScheduledEvent};
    use crate::runtime::active_request::Responder;
    use crate::runtime::code_cache;
    use crate::runtime::events::Event;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn run_once(pool: &Arc<Pool>, id: &str, worker: &Arc<WorkerDefinition>) {
        let event = Event::Scheduled(ScheduledEvent::default());
        run_event(pool, id, worker, event);
    }

    fn run_event(pool: &Arc<Pool>, id: &str, worker: &Arc<WorkerDefinition>, event: Event) {
        let deployment = pool.deployment_of(id, worker).expect("it is valid");
        let run = pool.run(
            deployment,
            event,
            Responder::Scheduled,
            RunOptions::default(),
        );
        block_on(run).expect("it runs");
    }

    /// A pool with room for one isolate, and a worker.
    fn pool_of_one() -> (Arc<Pool>, Arc<WorkerDefinition>) {
        let options = PoolOptions {
            max_isolates: 1,
            ..PoolOptions::default()
        };
        let pool = Pool::new(options).expect("a pool");
        let worker = WorkerDefinition::script("export default { scheduled() {} }");
        (pool, Arc::new(worker))
    }

    fn wait_until(is_so: impl Fn() -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < patience, "it does not come");
            std::thread::yield_now();
        }
    }

    fn bundle(name: &str) -> String {
        let filling = "/".repeat(8192);
        format!("export default {{ scheduled() {{}} }} //{name}{filling}")
    }

    #[test]
    fn code_is_not_kept_before_the_worker_has_run() {
        let pool = Pool::new(PoolOptions::default()).expect("a pool");
        let source = bundle("loaded");
        let worker = Arc::new(WorkerDefinition::script(source.clone()));
        let keep_code = || {
            let lane = pool.lanes.lock()[0].clone();
            wait_until(|| lane.is_idle());
            let keeping = platform::spawn("keeping", move || lane.keep_code());
            keeping.expect("a thread").join().expect("it returns");
        };
        run_event(&pool, "a", &worker, Event::Load);
        keep_code();
        assert!(!code_cache::has_code_of(&source));
        run_once(&pool, "a", &worker);
        keep_code();
        assert!(code_cache::has_code_of(&source));
    }

    #[test]
    fn the_code_of_a_bundle_is_kept_before_its_isolate_is_at_rest() {
        let pool = Pool::new(PoolOptions::default()).expect("a pool");
        let source = bundle("early");
        let worker = Arc::new(WorkerDefinition::script(source.clone()));
        run_once(&pool, "a", &worker);
        wait_until(|| code_cache::has_code_of(&source));
        let lane = pool.lanes.lock()[0].clone();
        assert!(lane.warm.load(Ordering::Relaxed), "it was collected");
    }

    #[test]
    fn what_made_room_goes_once_the_request_has_run() {
        let (pool, worker) = pool_of_one();
        for id in ["a", "b"] {
            run_once(&pool, id, &worker);
        }
        assert_eq!(pool.stats().evictions, 1);
        let Exit { leaving, .. } = &pool.reaper.exit;
        wait_until(|| pool.reaper.displaced.is_empty() && leaving.is_empty());
    }

    #[test]
    fn a_pool_has_an_isolate_ahead_when_it_is_full_too() {
        let (pool, worker) = pool_of_one();
        for id in ["a", "b", "c"] {
            run_once(&pool, id, &worker);
            wait_until(|| !pool.reaper.spares.lock().ready.is_empty());
        }
        let stats = pool.stats();
        assert_eq!((stats.total, stats.evictions), (1, 2));
    }
}

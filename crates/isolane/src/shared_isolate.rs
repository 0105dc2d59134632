//! The thread-local isolate: entered on one thread, with disposable contexts on it.
//!
//! The names cross upstream's: `v8::SharedIsolate` is the isolate that threads share by locking it,
//! which here is [`UnenteredIsolate`](crate::UnenteredIsolate). This one wraps `v8::OwnedIsolate`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::definition::WorkerDefinition;
use crate::error::{Error, Owner};
use crate::isolate_params::{GuardedIsolate, IsolateGuards};
use crate::limits::Limits;
use crate::limits::rescue::Bystanders;
use crate::runtime::realm::{Health, Realm, RealmOptions};
use crate::runtime::{HeapStatistics, ThreadClaim};

/// How much heap is to be left where a context is made that nobody has asked for.
const ROOM_FOR_A_CONTEXT: usize = 4 << 20;

/// How a [`SharedIsolate`] is set up.
#[derive(Clone, Default)]
pub struct SharedIsolateOptions {
    /// Limits of the isolate's memory, and of requests on contexts whose worker names none.
    pub limits: Limits,
}

/// One isolate bound to one thread; clones share it.
///
/// The thread must have been made by [`platform::spawn`](crate::platform::spawn) and may have no
/// other isolate. The isolate lives until the last clone and the last context are gone.
#[derive(Clone)]
pub struct SharedIsolate(pub(crate) Rc<SharedParts>);

pub(crate) struct SharedParts {
    // In this order: contexts go before the isolate, its guards and the claim after it.
    /// The next context, where it was made ahead.
    pub(crate) unclaimed: RefCell<Option<Realm>>,
    pub(crate) isolate: RefCell<GuardedIsolate>,
    pub(crate) guards: IsolateGuards,
    pub(crate) limits: Limits,
    pub(crate) condemned: Cell<bool>,
    /// Whose turns the watchdog ends when the isolate is closed from another thread; 0 for none.
    pub(crate) group: u64,
    _claim: ThreadClaim,
}

impl SharedIsolate {
    /// Who waits for this isolate and can be answered from outside.
    pub(crate) fn bystanders(&self) -> &Arc<Bystanders> {
        &self.0.guards.bystanders
    }

    /// Makes the thread's isolate.
    ///
    /// # Errors
    ///
    /// `ERR_INVALID_ARG` on a thread that cannot have one, see [`SharedIsolate`].
    pub fn new(options: SharedIsolateOptions) -> Result<Self, Error> {
        Self::in_group(options, 0)
    }

    pub(crate) fn in_group(options: SharedIsolateOptions, group: u64) -> Result<Self, Error> {
        let claim = ThreadClaim::take()?;
        let isolate = GuardedIsolate::new(&options.limits);
        Ok(Self(Rc::new(SharedParts {
            unclaimed: RefCell::default(),
            guards: isolate.guards().clone(),
            isolate: RefCell::new(isolate),
            limits: options.limits,
            condemned: Cell::new(false),
            group,
            _claim: claim,
        })))
    }

    /// Whether its heap limit was reached: no context can be made or used any more.
    pub fn is_condemned(&self) -> bool {
        self.0.condemned.get()
    }

    /// Makes the next context ahead, for when its thread has nothing else to do: then
    /// [`ExecutionContext::new`](crate::ExecutionContext::new) takes a fraction of its time.
    ///
    /// Does nothing where there is one, or where the heap has little room.
    pub fn prepare(&self) {
        if self.is_condemned() || self.is_prepared() {
            return;
        }
        let mut isolate = self.0.isolate.borrow_mut();
        let used = isolate.get_heap_statistics().used_heap_size();
        if used + ROOM_FOR_A_CONTEXT > self.0.limits.heap_bytes {
            return;
        }
        // Where none can be made, whoever wants one is told.
        let made = Realm::unclaimed(&mut isolate, &self.0.guards).ok();
        *self.0.unclaimed.borrow_mut() = made.filter(|realm| realm.health() == Health::Good);
    }

    pub(crate) fn is_prepared(&self) -> bool {
        self.0.unclaimed.borrow().is_some()
    }

    /// Drops the context that was made ahead.
    pub(crate) fn expect_no_context(&self) {
        let _isolate = self.0.isolate.borrow_mut();
        self.0.unclaimed.take();
    }

    /// The size of its heap.
    pub fn heap_statistics(&self) -> HeapStatistics {
        HeapStatistics::of(&mut self.0.isolate.borrow_mut())
    }
}

/// Makes and drops a context with every web API installed and no worker in it.
#[doc(hidden)]
pub fn new_context(isolate: &SharedIsolate) {
    let options = RealmOptions {
        definition: Arc::new(WorkerDefinition::script("")),
        worker_id: None,
        on_log: None,
        limits: isolate.0.limits,
        group: 0,
        owner: Owner::SharedIsolate,
    };
    let realm = Realm::new(
        &mut isolate.0.isolate.borrow_mut(),
        &isolate.0.guards,
        options,
    );
    drop(realm.expect("a context"));
}

//! The scenarios: attacks that need more than one request at a time, written in Rust.

use crate::tenant::Mode;
use crate::{lifecycles, races, tenants};

/// One scenario; it panics where it fails.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) modes: &'static [Mode],
    pub(crate) run: fn(Mode),
}

const fn new(name: &'static str, modes: &'static [Mode], run: fn(Mode)) -> Scenario {
    Scenario { name, modes, run }
}

const POOL: &[Mode] = &[Mode::Pool];
const CONTEXT: &[Mode] = &[Mode::Context];
const WORKER: &[Mode] = &[Mode::Worker];
const ALL_MODES: &[Mode] = &Mode::ALL;

/// All scenarios.
pub(crate) const ALL: &[Scenario] = &[
    new(
        "a09-interleaved-requests-are-charged-apart",
        ALL_MODES,
        races::interleaved,
    ),
    new(
        "a23-unread-body-is-bounded",
        ALL_MODES,
        lifecycles::unread_body,
    ),
    new(
        "a24-wait-until-leaves-nothing",
        ALL_MODES,
        lifecycles::wait_until,
    ),
    new(
        "a25-late-terminations-hit-nobody",
        POOL,
        races::late_terminations,
    ),
    new(
        "b19-buffers-of-a-limited-request-go-back",
        POOL,
        lifecycles::limited_buffers,
    ),
    new(
        "b23-disposed-contexts-give-memory-back",
        CONTEXT,
        lifecycles::disposed_contexts,
    ),
    new(
        "b24-heap-limit-answers-all-in-flight",
        POOL,
        races::heap_limit_in_company,
    ),
    new(
        "b25-huge-request-body",
        ALL_MODES,
        lifecycles::huge_request_body,
    ),
    new(
        "b26-near-the-heap-limit",
        ALL_MODES,
        lifecycles::near_the_heap_limit,
    ),
    new(
        "d01-pollution-stays-with-its-tenant",
        ALL_MODES,
        tenants::pollution,
    ),
    new(
        "d01-contexts-of-one-isolate-share-nothing",
        CONTEXT,
        tenants::contexts_share_nothing,
    ),
    new(
        "d08-callbacks-of-disposed-contexts",
        CONTEXT,
        tenants::disposed_callbacks,
    ),
    new(
        "d14-late-callbacks-find-nobody",
        ALL_MODES,
        tenants::late_callbacks,
    ),
    new(
        "d22-new-isolates-hold-nothing-of-others",
        WORKER,
        tenants::uninitialised_memory,
    ),
    new("e20-random-bytes-differ", ALL_MODES, tenants::random_bytes),
    new(
        "f06-runaways-do-not-block-a-thread",
        POOL,
        races::runaways_and_others,
    ),
    new("f08-modes-mixed", WORKER, races::modes_mixed),
    new(
        "f09-aborts-hit-only-their-request",
        ALL_MODES,
        races::aborts,
    ),
    new("f10-panics-of-the-host", ALL_MODES, lifecycles::panics),
    new("f14-churn-leaves-nothing", ALL_MODES, lifecycles::churn),
    new(
        "f15-tenants-that-go-take-their-memory-along",
        &[Mode::Worker, Mode::Context, Mode::Pool],
        lifecycles::tenants_that_go,
    ),
    new("f17-redeploy-while-requests-run", POOL, races::redeploy),
    new("f18-close-during-everything", ALL_MODES, races::close),
    new("f19-drop-during-everything", ALL_MODES, races::drop_futures),
];

//! Makes the pool's threads. Where the system lets any thread lower its own priority, the patient
//! ones get less of the processors than quick lanes, and those of the background what is left over.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use isolane_lanes::{Options, Role};

use crate::error::Error;
use crate::platform;

use super::lane::Threads;

/// Starts the threads of a pool: `count` of each class.
pub(super) fn start(count: usize) -> Result<Arc<Threads>, Error> {
    let options = Options {
        quick: count,
        patient: count,
        background: count,
        spin: thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
    };
    let spawner = |role, body: isolane_lanes::Body| match role {
        Role::Quick => platform::spawn("isolane-pool", || {
            ask_for_slices(SHORTEST_SLICE);
            body();
        }),
        Role::Relief => platform::spawn("isolane-relief", body),
        Role::Patient => platform::spawn("isolane-patient", || {
            lower_priority();
            ask_for_slices(LONGEST_SLICE);
            body();
        }),
        Role::Background => platform::spawn("isolane-background", || {
            give_up_priority();
            body();
        }),
    };
    Threads::start(options, Box::new(spawner))
        .map_err(|error| Error::internal(format!("a pool thread: {error}")))
}

/// For a thread that is to run soon when it wakes: one with longer slices gives way at once.
const SHORTEST_SLICE: Duration = Duration::from_micros(100);

/// For a thread that may wait when it wakes, and gives way to all that wake.
const LONGEST_SLICE: Duration = Duration::from_millis(100);

/// Asks the system to give the calling thread the processor for that long at a time. It gets no more
/// and no less of it than before.
///
/// Linux does so from 6.12 on, and ignores it before.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn ask_for_slices(slice: Duration) {
    /// `struct sched_attr` in its first version; see sched_setattr(2).
    #[repr(C)]
    #[derive(Default)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    let size = size_of::<Attributes>() as u32;
    let mut attributes = Attributes::default();
    // SAFETY: 0 is the calling thread. The first call fills what it is told the size of, the second
    // one only reads it, both during the call. A system that refuses leaves the thread as it is.
    unsafe {
        let found = libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0);
        if found == 0 {
            attributes.runtime = slice.as_nanos() as u64;
            libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
        }
    }
}

/// Other systems do not let a thread choose.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn ask_for_slices(_: Duration) {}

/// Has the calling thread stand back for others, for good.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn lower_priority() {
    /// Nice values above the process's own: a tenth of the weight.
    const STEPS: libc::c_int = 10;
    // SAFETY: plain calls without pointers. On Linux a priority is a thread's, and 0 is the calling one.
    unsafe {
        let own = libc::getpriority(libc::PRIO_PROCESS, 0);
        // A system that refuses leaves all threads equal.
        let _ = libc::setpriority(libc::PRIO_PROCESS, 0, (own + STEPS).min(19));
    }
}

/// Has the calling thread run when no other wants its processor, for good.
///
/// A processor that runs only such threads counts as idle when the system looks for one to wake
/// another thread on.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn give_up_priority() {
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is the calling thread; the parameter is only read during the call.
    let refused =
        unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const priority) } != 0;
    if refused {
        lower_priority();
    }
}

/// Has the calling thread stand back for others, for good.
#[cfg(target_os = "macos")]
fn lower_priority() {
    // SAFETY: a plain call without pointers, about the calling thread.
    let _ = unsafe { libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_UTILITY, 0) };
}

/// Has the calling thread run when no other wants its processor, for good.
#[cfg(target_os = "macos")]
pub(super) fn give_up_priority() {
    // SAFETY: a plain call without pointers, about the calling thread.
    let _ =
        unsafe { libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_BACKGROUND, 0) };
}

/// Has the calling thread stand back for others, for good.
#[cfg(windows)]
fn lower_priority() {
    use windows_sys::Win32::System::Threading::{
        GetCurrentThread, SetThreadPriority, THREAD_PRIORITY_BELOW_NORMAL,
    };
    // SAFETY: the pseudo handle is always valid on its own thread.
    let _ = unsafe { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL) };
}

/// Has the calling thread run when no other wants its processor, for good.
#[cfg(windows)]
pub(super) fn give_up_priority() {
    use windows_sys::Win32::System::Threading::{
        GetCurrentThread, SetThreadPriority, THREAD_PRIORITY_IDLE,
    };
    // SAFETY: the pseudo handle is always valid on its own thread.
    let _ = unsafe { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_IDLE) };
}

/// Other systems keep all threads equal.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    windows
)))]
fn lower_priority() {}

/// Other systems keep all threads equal.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    windows
)))]
pub(super) fn give_up_priority() {}

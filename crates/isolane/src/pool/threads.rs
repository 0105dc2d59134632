//! Makes the pool's threads. The patient ones lower their own priority where the system lets any
//! thread do that, so that what they run gets the processors that quick lanes leave.

use std::sync::Arc;
use std::thread;

use isolane_lanes::{Options, Role};

use crate::error::Error;
use crate::platform;

use super::lane::Threads;

/// Starts the threads of a pool: `count` for quick lanes, and as many for the others.
pub(super) fn start(count: usize) -> Result<Arc<Threads>, Error> {
    let options = Options {
        quick: count,
        patient: count,
        spin: thread::available_parallelism().is_ok_and(|cores| cores.get() > 1),
    };
    let spawner = |role, body: isolane_lanes::Body| match role {
        Role::Quick => platform::spawn("isolane-pool", body),
        Role::Relief => platform::spawn("isolane-relief", body),
        Role::Patient => platform::spawn("isolane-patient", || {
            lower_priority();
            body();
        }),
    };
    Threads::start(options, Box::new(spawner))
        .map_err(|error| Error::internal(format!("a pool thread: {error}")))
}

/// Has the calling thread stand back for others, for good.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn lower_priority() {
    /// Nice values above the process's own: a tenth of the weight.
    const STEPS: libc::c_int = 10;
    // SAFETY: plain calls without pointers. On Linux a priority is a thread's, and 0 is the calling one.
    unsafe {
        let own = libc::getpriority(libc::PRIO_PROCESS, 0);
        // A system that refuses leaves all threads equal.
        let _ = libc::setpriority(libc::PRIO_PROCESS, 0, (own + STEPS).min(19));
    }
}

/// Has the calling thread stand back for others, for good.
#[cfg(target_os = "macos")]
pub(super) fn lower_priority() {
    // SAFETY: a plain call without pointers, about the calling thread.
    let _ = unsafe { libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_UTILITY, 0) };
}

/// Has the calling thread stand back for others, for good.
#[cfg(windows)]
pub(super) fn lower_priority() {
    use windows_sys::Win32::System::Threading::{
        GetCurrentThread, SetThreadPriority, THREAD_PRIORITY_BELOW_NORMAL,
    };
    // SAFETY: the pseudo handle is always valid on its own thread.
    let _ = unsafe { SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_BELOW_NORMAL) };
}

/// Other systems keep all threads equal.
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    windows
)))]
pub(super) fn lower_priority() {}

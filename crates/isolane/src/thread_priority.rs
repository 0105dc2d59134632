//! Which thread the system runs first, and where. Threads lower their own priority, and never raise it: that takes
//! rights that a process need not have. Any thread may call.

use std::time::Duration;

pub(crate) use system::{
    SystemThread, ask_for_slices, leave_processor, lower, lower_most, processor,
};

/// For a thread that is to run soon when it wakes: one with longer slices gives way at once.
pub(crate) const SHORTEST_SLICE: Duration = Duration::from_micros(100);

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use std::time::Duration;

    /// For a thread that gives way to all that wake with the system's own slices, which are 0.7 to 3 ms.
    const LONG_SLICE: Duration = Duration::from_millis(3);

    /// For one that gives way to those as well.
    ///
    /// Not much more. Where others take all processors, a thread that wakes waits until each of them has had
    /// as much as it asks for itself, multiplied by how much more weight they have.
    const LONGEST_SLICE: Duration = Duration::from_millis(5);

    /// Takes the processor from nobody when it wakes, not even from a thread that has had more than its share: the
    /// next tick does. The share is the same. A virtual machine's processors look busy to Linux once they have
    /// halted, so that it may wake a thread beside the one that asked for something and has a request to answer,
    /// though another processor has nothing to do.
    ///
    /// Not for a thread that wakes often: while it waits for its turn, what it has not had yet counts, and a quick
    /// thread that wakes there is not due before it has run.
    const WAKES_QUIETLY: libc::c_int = libc::SCHED_BATCH;

    /// Nice values above those of the process's first thread: a tenth of the weight.
    const LOWER: libc::c_int = 10;

    /// A thirtieth of the weight. A process has ended when the last of its threads has, and that one frees all
    /// its memory, with the priority that it had: with less weight (or as `SCHED_IDLE`) a process takes ten
    /// seconds to end where others take all processors.
    const LOWER_MOST: libc::c_int = 15;

    /// Asks the system to give the calling thread the processor for that long at a time. It gets no more
    /// and no less of it than before.
    ///
    /// Linux does so from 6.12 on, and ignores it before.
    pub(crate) fn ask_for_slices(slice: Duration) {
        SystemThread::current().schedule(slice, libc::SCHED_OTHER);
    }

    /// The processor that the calling thread runs on.
    pub(crate) fn processor() -> Option<u32> {
        // SAFETY: a plain call. It reads what the system keeps in the thread's own memory.
        u32::try_from(unsafe { libc::sched_getcpu() }).ok()
    }

    /// Moves the calling thread to another of the processors that it may use, for now: the system may move
    /// it again. Nothing where there is no other.
    pub(crate) fn leave_processor() {
        let Some(here) = processor() else { return };
        // SAFETY: 0 is the calling thread. A set of processors is valid when it is all zeros; it is large
        // enough for every number of a processor of a system that fills it, and only used during the calls.
        unsafe {
            let mut allowed: libc::cpu_set_t = std::mem::zeroed();
            let size = size_of::<libc::cpu_set_t>();
            if libc::sched_getaffinity(0, size, &raw mut allowed) != 0 {
                return;
            }
            let mut others = allowed;
            libc::CPU_CLR(here as usize, &mut others);
            // Refused where there is no other.
            if libc::sched_setaffinity(0, size, &raw const others) == 0 {
                libc::sched_setaffinity(0, size, &raw const allowed);
            }
        }
    }

    /// Has the calling thread stand back for others, for good.
    pub(crate) fn lower() {
        SystemThread::current().lower_by(LOWER, LONG_SLICE, libc::SCHED_OTHER);
    }

    /// Has the calling thread stand back for others as far as it can and still get on, and end, where they
    /// take all there is, for good.
    pub(crate) fn lower_most() {
        SystemThread::current().lower_most();
    }

    /// A thread, as the system names it: a thread that is not this one's to wait for any more can be had out
    /// of the way of the others. Whoever calls its methods knows that the thread has not ended.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct SystemThread {
        id: libc::pid_t,
    }

    impl SystemThread {
        pub(crate) fn current() -> Self {
            // SAFETY: a plain call.
            let id = unsafe { libc::gettid() };
            Self { id }
        }

        /// Has the thread stand back for others as far as it can and still get on, for good.
        pub(crate) fn lower_most(self) {
            self.lower_by(LOWER_MOST, LONGEST_SLICE, WAKES_QUIETLY);
        }

        fn lower_by(self, steps: libc::c_int, slice: Duration, policy: libc::c_int) {
            let id = self.id.cast_unsigned();
            // SAFETY: plain calls without pointers. On Linux a priority is a thread's, and the process's id is
            // that of its first thread.
            unsafe {
                // Not from the thread's own on: it may have been lowered before.
                let first = libc::getpid().cast_unsigned();
                let base = libc::getpriority(libc::PRIO_PROCESS, first);
                // A system that refuses leaves all threads equal.
                let _ = libc::setpriority(libc::PRIO_PROCESS, id, (base + steps).min(19));
            }
            self.schedule(slice, policy);
        }

        fn schedule(self, slice: Duration, policy: libc::c_int) {
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
            // SAFETY: the first call fills what it is told the size of, the second one only reads it, both
            // during the call. A system that refuses leaves the thread as it is.
            unsafe {
                let found = libc::syscall(
                    libc::SYS_sched_getattr,
                    self.id,
                    &raw mut attributes,
                    size,
                    0,
                );
                if found == 0 {
                    attributes.policy = policy.cast_unsigned();
                    attributes.runtime = slice.as_nanos() as u64;
                    libc::syscall(libc::SYS_sched_setattr, self.id, &raw const attributes, 0);
                }
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use std::time::Duration;

    /// What a thread gets of the processors beside others.
    enum Share {
        Less,
        Least,
    }

    /// Not told there.
    pub(crate) fn processor() -> Option<u32> {
        None
    }

    /// Never wanted where it is not told.
    pub(crate) fn leave_processor() {}

    /// These systems do not let a thread choose.
    pub(crate) fn ask_for_slices(_: Duration) {}

    /// Has the calling thread stand back for others, for good.
    pub(crate) fn lower() {
        set(Share::Less);
    }

    /// Has the calling thread stand back for others as far as it can and still get on, and end, where they
    /// take all there is, for good.
    pub(crate) fn lower_most() {
        set(Share::Least);
    }

    #[cfg(target_os = "macos")]
    fn set(share: Share) {
        let class = match share {
            Share::Less => libc::qos_class_t::QOS_CLASS_UTILITY,
            Share::Least => libc::qos_class_t::QOS_CLASS_BACKGROUND,
        };
        // SAFETY: a plain call without pointers, about the calling thread.
        let _ = unsafe { libc::pthread_set_qos_class_self_np(class, 0) };
    }

    #[cfg(windows)]
    fn set(share: Share) {
        use windows_sys::Win32::System::Threading::{
            GetCurrentThread, SetThreadPriority, THREAD_PRIORITY_BELOW_NORMAL,
            THREAD_PRIORITY_LOWEST,
        };
        let priority = match share {
            Share::Less => THREAD_PRIORITY_BELOW_NORMAL,
            Share::Least => THREAD_PRIORITY_LOWEST,
        };
        // SAFETY: the pseudo handle is always valid on its own thread.
        let _ = unsafe { SetThreadPriority(GetCurrentThread(), priority) };
    }

    /// Other systems keep all threads equal.
    #[cfg(not(any(target_os = "macos", windows)))]
    fn set(_: Share) {}

    /// A thread; these systems let it only change itself.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct SystemThread;

    impl SystemThread {
        pub(crate) fn current() -> Self {
            Self
        }

        pub(crate) fn lower_most(self) {}
    }
}

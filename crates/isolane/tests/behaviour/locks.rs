//! Isolates that several threads lock, one after the other.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use isolane::{IsolateLock, Limits, UnenteredIsolate};

use crate::support::on_isolate_thread;

fn isolate() -> UnenteredIsolate {
    UnenteredIsolate::new(&Limits::default()).expect("an isolate")
}

/// Runs a script to its end in a context of its own.
fn evaluate(lock: &mut IsolateLock<'_>, script: &str) -> f64 {
    v8::scope!(let scope, &mut **lock);
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let code = v8::String::new(scope, script).expect("a string");
    let result = v8::Script::compile(scope, code, None).and_then(|script| script.run(scope));
    let result = result.and_then(|value| value.number_value(scope));
    result.expect("a number")
}

unsafe extern "C" fn note(_isolate: v8::UnsafeRawIsolatePtr, noted: *mut c_void) {
    // SAFETY: the test gives the address of a counter that lives as long as the process.
    unsafe { &*noted.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
}

/// What a thread of V8's asks for while nobody has the lock, to install the code that it has optimised, is
/// such an interrupt too.
#[test]
fn what_was_asked_for_between_two_locks_is_done_in_the_second() {
    static NOTED: AtomicUsize = AtomicUsize::new(0);
    on_isolate_thread(|| {
        let isolate = isolate();
        let lock = isolate.lock();
        let handle = lock.thread_safe_handle();
        drop(lock);
        for asked in 1..=3 {
            let noted = std::ptr::from_ref(&NOTED).cast_mut().cast();
            assert!(handle.request_interrupt(note, noted));
            let mut lock = isolate.lock();
            evaluate(&mut lock, "for (let n = 0; n < 1000; n++); 1");
            assert_eq!(NOTED.load(Ordering::SeqCst), asked);
        }
    });
}

/// More of them than V8 keeps a state for; one of those disposes of the isolate, or one that has none.
#[test]
fn any_number_of_threads_may_take_turns() {
    const THREADS: usize = 18;
    const VISITS: usize = 3;
    for last in [0, 7, 17] {
        let isolate = on_isolate_thread(|| Arc::new(isolate()));
        let turn = Arc::new(AtomicUsize::new(0));
        let await_turn = |turn: &AtomicUsize, wanted| {
            while turn.load(Ordering::SeqCst) != wanted {
                std::thread::yield_now();
            }
        };
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (isolate, turn) = (isolate.clone(), turn.clone());
                let body = move || {
                    for visit in 0..VISITS {
                        await_turn(&turn, visit * THREADS + thread);
                        for _ in 0..1 + (thread + visit) % 4 {
                            let mut lock = isolate.lock();
                            assert_eq!(evaluate(&mut lock, "[1, 2].map((n) => n + 1)[1]"), 3.0);
                        }
                        turn.fetch_add(1, Ordering::SeqCst);
                    }
                    if thread == last {
                        await_turn(&turn, (VISITS + 1) * THREADS - 1);
                    } else {
                        await_turn(
                            &turn,
                            VISITS * THREADS + thread - usize::from(thread > last),
                        );
                    }
                    drop(isolate);
                    turn.fetch_add(1, Ordering::SeqCst);
                };
                isolane::platform::spawn("guests", body).expect("a thread")
            })
            .collect();
        drop(isolate);
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
}

/// A termination ends with the turn that it was meant for, whichever thread has the next one.
#[test]
fn a_cancelled_termination_does_not_come_back() {
    on_isolate_thread(|| {
        let isolate = isolate();
        for _ in 0..3 {
            let lock = isolate.lock();
            lock.terminate_execution();
            lock.cancel_terminate_execution();
            drop(lock);
            let mut lock = isolate.lock();
            assert_eq!(
                evaluate(&mut lock, "for (let n = 0; n < 1000; n++); 7"),
                7.0
            );
        }
    });
}

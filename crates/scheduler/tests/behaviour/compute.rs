//! Work that computes for long: bounded, stopped with its request, answered once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use isolane_scheduler::{CallbackId, CallbackMessage, ComputeJob, SchedulerMessage, next_id};

use crate::guest::Guest;

fn compute(guest: &Guest, job: ComputeJob) -> CallbackId {
    let id = next_id();
    guest.handle.send(SchedulerMessage::Compute {
        request: guest.request,
        id,
        job,
    });
    id
}

/// The output of the next answer, which must be a number.
async fn answer(guest: &mut Guest, expected: CallbackId) -> Option<usize> {
    match guest.answer().await {
        CallbackMessage::ComputeDone { id, output, .. } => {
            assert_eq!(id, expected);
            output.map(|output| *output.downcast().unwrap())
        }
        other => panic!("another answer: {other:?}"),
    }
}

/// Work that says when it has begun and runs until it is stopped.
fn endless() -> (ComputeJob, Receiver<()>, Receiver<()>) {
    let ((begun, has_begun), (ended, has_ended)) = (channel(), channel());
    let job = Box::new(move |stop: &isolane_scheduler::StopFlag| {
        let _ = begun.send(());
        while !stop.is_raised() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = ended.send(());
        Box::new(0_usize) as Box<_>
    });
    (job, has_begun, has_ended)
}

/// Work that says when it is dropped, run or not.
fn noisy(dropped: Sender<()>, runs: Arc<AtomicUsize>) -> ComputeJob {
    struct Noise(Sender<()>);
    impl Drop for Noise {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let noise = Noise(dropped);
    Box::new(move |_| {
        let _noise = noise;
        Box::new(runs.fetch_add(1, Ordering::SeqCst) + 1)
    })
}

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_context_computes_one_piece_at_a_time() {
    let mut guest = Guest::new();
    let running = Arc::new(AtomicUsize::new(0));
    for _ in 0..20 {
        let running = Arc::clone(&running);
        let job = move |_: &isolane_scheduler::StopFlag| {
            let others = running.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            running.fetch_sub(1, Ordering::SeqCst);
            Box::new(others) as Box<_>
        };
        compute(&guest, Box::new(job));
    }
    for _ in 0..20 {
        match guest.answer().await {
            CallbackMessage::ComputeDone { output, .. } => {
                assert_eq!(*output.unwrap().downcast::<usize>().unwrap(), 0);
            }
            other => panic!("another answer: {other:?}"),
        }
    }
}

#[tokio::test]
async fn work_ends_with_its_request_and_what_waits_never_begins() {
    let mut guest = Guest::new();
    let (job, has_begun, has_ended) = endless();
    compute(&guest, job);
    has_begun.recv_timeout(PATIENCE).unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let (dropped, is_dropped) = channel();
    compute(&guest, noisy(dropped.clone(), Arc::clone(&runs)));
    guest.cancel_request();
    has_ended.recv_timeout(PATIENCE).unwrap();
    is_dropped.recv_timeout(PATIENCE).unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    // The next one is the first that is answered.
    let id = compute(&guest, noisy(dropped, runs));
    assert_eq!(answer(&mut guest, id).await, Some(1));
}

#[tokio::test]
async fn work_ends_with_its_context() {
    let guest = Guest::new();
    let (job, has_begun, has_ended) = endless();
    compute(&guest, job);
    has_begun.recv_timeout(PATIENCE).unwrap();
    let Guest { handle, .. } = guest;
    drop(handle);
    has_ended.recv_timeout(PATIENCE).unwrap();
}

#[tokio::test]
async fn work_that_panics_is_answered_with_nothing() {
    let mut guest = Guest::new();
    let id = compute(&guest, Box::new(|_| panic!("as it was told")));
    assert_eq!(answer(&mut guest, id).await, None);
    let (dropped, _) = channel();
    let id = compute(&guest, noisy(dropped, Arc::default()));
    assert_eq!(answer(&mut guest, id).await, Some(1));
}

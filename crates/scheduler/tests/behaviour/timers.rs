//! Timers: never early, in order, cancellable, and many.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use isolane_scheduler::{CallbackId, CallbackMessage, SchedulerMessage, next_id};

use crate::guest::{Guest, scheduler};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

async fn fired(guest: &mut Guest) -> CallbackId {
    match guest.answer().await {
        CallbackMessage::TimerFired { request, id } => {
            assert_eq!(request, guest.request);
            id
        }
        other => panic!("not a timer: {other:?}"),
    }
}

#[tokio::test]
async fn a_timer_fires_once_its_delay_is_over_and_never_before() {
    let mut guest = Guest::new();
    for delay in [ms(0), ms(1), ms(2), ms(25)] {
        let start = Instant::now();
        let id = guest.start_timer(delay);
        assert_eq!(fired(&mut guest).await, id);
        assert!(start.elapsed() >= delay, "fired early: {delay:?}");
    }
}

#[tokio::test]
async fn a_timer_of_a_millisecond_does_not_take_a_tick_of_many() {
    let mut guest = Guest::new();
    let start = Instant::now();
    for _ in 0..100 {
        guest.start_timer(ms(1));
        fired(&mut guest).await;
    }
    // About 2 ms each; a resolution of 15 ms or so would take 1.5 s.
    assert!(
        start.elapsed() < ms(1200),
        "100 timers of 1 ms took {:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn equal_delays_fire_in_the_order_they_were_scheduled() {
    let mut guest = Guest::new();
    let scheduled: Vec<_> = (0..2000).map(|_| guest.start_timer(ms(20))).collect();
    for id in scheduled {
        assert_eq!(fired(&mut guest).await, id);
    }
}

#[tokio::test]
async fn shorter_delays_fire_first_whenever_they_were_scheduled() {
    let mut guest = Guest::new();
    let long = guest.start_timer(ms(400));
    let middle = guest.start_timer(ms(200));
    let short = guest.start_timer(ms(1));
    let order = [
        fired(&mut guest).await,
        fired(&mut guest).await,
        fired(&mut guest).await,
    ];
    assert_eq!(order, [short, middle, long]);
}

#[tokio::test]
async fn a_hundred_thousand_timers_all_fire_in_order_and_none_early() {
    let mut guest = Guest::new();
    let mut windows = HashMap::new();
    for count in 0..100_000_u64 {
        let delay = ms(1 + count * 7919 % 1000);
        let before = Instant::now();
        let id = guest.start_timer(delay);
        windows.insert(id, (before + delay, Instant::now() + delay));
    }
    let mut earliest_of_previous = None;
    while !windows.is_empty() {
        let id = fired(&mut guest).await;
        let (earliest, latest) = windows.remove(&id).expect("each fires once");
        assert!(Instant::now() >= earliest, "fired early");
        assert!(
            Some(latest) >= earliest_of_previous,
            "fired after one with a later deadline"
        );
        earliest_of_previous = Some(earliest);
    }
}

#[tokio::test]
async fn a_cancelled_timer_does_not_fire() {
    let mut guest = Guest::new();
    let cancelled = guest.start_timer(ms(5));
    guest
        .handle
        .send(SchedulerMessage::CancelTimer { id: cancelled });
    let later = guest.start_timer(ms(40));
    assert_eq!(fired(&mut guest).await, later);
}

#[tokio::test]
async fn cancelling_a_timer_that_fired_does_nothing() {
    let mut guest = Guest::new();
    let first = guest.start_timer(ms(1));
    assert_eq!(fired(&mut guest).await, first);
    guest
        .handle
        .send(SchedulerMessage::CancelTimer { id: first });
    let second = guest.start_timer(ms(1));
    assert_eq!(fired(&mut guest).await, second);
}

#[tokio::test]
async fn cancelling_a_request_ends_its_timers_and_no_others() {
    let mut guest = Guest::new();
    for delay in 0..10_000 {
        guest.start_timer(ms(20 + delay % 50));
    }
    guest.cancel_request();
    while guest.callbacks.try_recv().is_some() {}

    guest.request = next_id();
    let kept = guest.start_timer(ms(100));
    assert_eq!(fired(&mut guest).await, kept);
}

#[tokio::test]
async fn a_timer_is_answered_only_to_the_context_that_set_it() {
    let scheduler = scheduler();
    let (mut one, mut other) = (Guest::on(&scheduler), Guest::on(&scheduler));
    let of_one: HashSet<_> = (0..100).map(|_| one.start_timer(ms(1))).collect();
    let of_other: HashSet<_> = (0..100).map(|_| other.start_timer(ms(1))).collect();
    for _ in 0..100 {
        assert!(of_one.contains(&fired(&mut one).await));
        assert!(of_other.contains(&fired(&mut other).await));
    }
}

#[tokio::test]
async fn a_context_cannot_cancel_the_timer_of_another() {
    let scheduler = scheduler();
    let (mut owner, stranger) = (Guest::on(&scheduler), Guest::on(&scheduler));
    let id = owner.start_timer(ms(10));
    stranger.handle.send(SchedulerMessage::CancelTimer { id });
    stranger.handle.send(SchedulerMessage::CancelRequest {
        request: owner.request,
    });
    assert_eq!(fired(&mut owner).await, id);
}

#[tokio::test]
async fn a_timer_set_while_a_longer_one_is_awaited_does_not_wait_for_it() {
    let mut guest = Guest::new();
    guest.start_timer(Duration::from_secs(3600));
    for _ in 0..20 {
        let cancelled = guest.start_timer(ms(2));
        guest
            .handle
            .send(SchedulerMessage::CancelTimer { id: cancelled });
        let short = guest.start_timer(ms(4));
        assert_eq!(fired(&mut guest).await, short);
    }
}

#[tokio::test]
async fn a_delay_of_any_length_is_accepted() {
    let mut guest = Guest::new();
    guest.start_timer(Duration::MAX);
    let short = guest.start_timer(ms(1));
    assert_eq!(fired(&mut guest).await, short);
}

#[tokio::test]
async fn a_deadline_is_reported_unless_the_request_ends_first() {
    let mut guest = Guest::new();
    let ended = next_id();
    guest.handle.send(SchedulerMessage::Deadline {
        request: ended,
        after: ms(5),
    });
    guest
        .handle
        .send(SchedulerMessage::CancelRequest { request: ended });
    let parked = guest.request;
    guest.handle.send(SchedulerMessage::Deadline {
        request: parked,
        after: ms(30),
    });
    match guest.answer().await {
        CallbackMessage::DeadlineReached { request } => assert_eq!(request, parked),
        other => panic!("not a deadline: {other:?}"),
    }
}

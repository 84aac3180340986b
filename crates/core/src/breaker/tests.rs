//! When a breaker opens, and when it closes.

use super::*;
use crate::ports::ManualClock;

fn breaker() -> (Breaker, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    (Breaker::new(clock.clone(), "test", "here"), clock)
}

/// Whether a call that ends so is let through.
fn sent(breaker: &Breaker, answer: Result<(), StoreError>) -> bool {
    breaker.enter("test").is_ok_and(|turn| {
        let _ = turn.heed(answer);
        true
    })
}

fn down() -> Result<(), StoreError> {
    Err(StoreError::deadline("test", Duration::from_secs(1)))
}

#[test]
fn only_failures_in_a_row_open_it() {
    let (breaker, _) = breaker();
    let permanent = || Err(StoreError::permanent("test", "damaged"));
    for answer in [
        down(),
        down(),
        Ok(()),
        down(),
        down(),
        permanent(),
        down(),
        Err(StoreError::overloaded("test")),
        down(),
    ] {
        assert!(sent(&breaker, answer) && !breaker.is_open());
    }
    assert!(sent(&breaker, down()) && breaker.is_open());
    assert!(!sent(&breaker, Ok(())));
}

#[test]
fn one_call_at_a_time_probes_less_and_less_often_and_an_answer_closes_it() {
    let (breaker, clock) = breaker();
    for _ in 0..3 {
        sent(&breaker, down());
    }
    for wait in [50, 100, 200, 400, 500, 500] {
        clock.advance(Duration::from_millis(wait - 1));
        assert!(!sent(&breaker, Ok(())), "{wait}");
        clock.advance(Duration::from_millis(1));
        let probe = breaker.enter("test").unwrap();
        assert!(!sent(&breaker, Ok(())), "another call beside the probe");
        assert!(probe.heed(down()).is_err() && breaker.is_open());
    }
    clock.advance(Duration::from_millis(500));
    assert!(sent(&breaker, Ok(())) && !breaker.is_open());
    assert!(sent(&breaker, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_task_probes_until_an_answer_and_no_caller_does() {
    let (breaker, clock) = breaker();
    let probes = std::cell::Cell::new(0);
    let probing = breaker.probe_by(|| {
        probes.set(probes.get() + 1);
        std::future::ready(if probes.get() % 3 == 0 { Ok(()) } else { down() })
    });
    let callers = async {
        for round in 1..=2 {
            for _ in 0..3 {
                assert!(breaker.pass("test").unwrap().heed(down()).is_err());
            }
            for wait in [50, 100, 200] {
                assert!(breaker.pass("test").is_err());
                clock.advance(Duration::from_millis(wait));
                tokio::time::sleep(Duration::from_millis(wait + 1)).await;
            }
            assert!(breaker.pass("test").is_ok());
            assert_eq!(probes.get(), 3 * round);
        }
    };
    tokio::select! {
        () = probing => unreachable!("it goes on for ever"),
        () = callers => {}
    }
}

#[test]
fn a_probe_that_is_given_up_makes_room_for_the_next() {
    let (breaker, clock) = breaker();
    for _ in 0..3 {
        sent(&breaker, down());
    }
    clock.advance(Duration::from_millis(50));
    drop(breaker.enter("test").unwrap());
    clock.advance(Duration::from_millis(500));
    assert!(sent(&breaker, Ok(())));
}

//! Summaries beside the truth.

use std::collections::HashMap;

use super::*;

fn caller(id: u64, calls: u64) -> Caller {
    Caller { user: UserId::new(id).unwrap(), calls }
}

fn sketches(callers: &[(u64, u64)], limited: &[(u64, u64)]) -> Sketches {
    let list = |all: &[(u64, u64)]| all.iter().map(|(id, calls)| caller(*id, *calls)).collect::<Vec<_>>();
    let mut sketches = Sketches::default();
    sketches.add_callers(&list(callers));
    sketches.add_limited(&list(limited));
    sketches
}

fn exact(callers: Vec<Caller>) -> Ranking {
    Ranking { callers, error: 0 }
}

#[test]
fn a_few_are_told_exactly_also_of_a_union_and_after_being_kept() {
    let (first, second) = (sketches(&[(1, 5), (2, 5), (3, 1)], &[(9, 2)]), sketches(&[(3, 5), (4, 2)], &[]));
    let kept = Sketches::from_bytes(&first.to_bytes()).unwrap();
    let union = Sketches::union([&kept, &second]);
    assert_eq!(union.top(3), exact(vec![caller(3, 6), caller(1, 5), caller(2, 5)]));
    assert_eq!(union.top(100).callers.len(), 4);
    assert_eq!((union.distinct(), first.distinct()), (4, 3));
    assert_eq!(union.most_limited(10), exact(vec![caller(9, 2)]));
    assert_eq!(Sketches::union([]).top(10), exact(vec![]));
}

#[test]
fn nothing_is_an_empty_summary_and_anything_else_is_damage() {
    assert_eq!(Sketches::from_bytes(&[]).unwrap().distinct(), 0);
    let whole = sketches(&[(1, 5)], &[(2, 1)]).to_bytes();
    for damaged in
        [&whole[..whole.len() - 1], &whole[1..], &[FORM], &[FORM + 1, 0], &[FORM, 255, 255, 255, 255]]
    {
        assert!(Sketches::from_bytes(damaged).is_err(), "{damaged:?}");
    }
    for bit in 0..8 * whole.len() {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Sketches::from_bytes(&flipped).is_err(), "bit {bit}");
    }
    let (api, other) = (ApiName::new("ping").unwrap(), sketches(&[(2, 3)], &[]));
    let grown = |kept: &[u8]| Sketches::from_bytes(&other.grown(kept, &api)).unwrap().top(10);
    assert_eq!(grown(&whole), exact(vec![caller(1, 5), caller(2, 3)]));
    assert_eq!(grown(&whole[1..]), exact(vec![caller(2, 3)]), "what is damaged is begun anew");
}

/// Half of all calls are of a hundred users, the others of two hundred thousand.
#[test]
fn of_many_the_number_is_about_right_the_best_are_found_and_the_size_is_bounded() {
    let (mut truth, mut parts) = (HashMap::<u64, u64>::new(), vec![Sketches::default(); 7]);
    for at in 0..400_000_u64 {
        let id = if at.is_multiple_of(2) { 1 + at / 2 % 100 } else { 1_000 + at / 2 };
        let part = usize::try_from(at % 7).unwrap();
        *truth.entry(id).or_default() += 1;
        parts[part].add_callers(&[caller(id, 1)]);
        parts[part].add_limited(&[caller(id, 1)]);
    }
    let union = Sketches::union(&parts);
    let (distinct, really) = (union.distinct(), truth.len() as u64);
    assert!(distinct.abs_diff(really) * 100 < really * 3, "{distinct} of {really}");
    // 3.5 / 1024 of all calls, by the paper.
    let bound = 400_000 * 35 / 10_240;
    for Ranking { callers, error } in [union.top(100), union.most_limited(100)] {
        assert!(error <= bound, "{error} > {bound}");
        assert_eq!(callers.len(), 100);
        for Caller { user, calls } in callers {
            let really = truth[&user.get()];
            assert!(
                really == 2_000 && calls <= really && calls + error >= really,
                "{user}: {calls} of {really}"
            );
        }
    }
    let bytes = parts.iter().map(|part| part.to_bytes().len()).max().unwrap();
    assert!(bytes < 40 * 1_024, "{bytes}");
}

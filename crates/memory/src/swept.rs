//! A map whose spent values are swept by the writes that follow, a few at a time.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use foldhash::fast::RandomState;
use tollbar_core::domain::Timestamp;

/// How many keys a write looks at that adds one. Above one, so that the round goes faster than the map can grow.
const LOOKS: usize = 2;
/// One of so many other writes looks at as many, so that a map that nobody joins is swept, too.
const SELDOM: usize = 16;

/// A value that may come to mean nothing any more.
pub(crate) trait Spent {
    /// Whether it may be dropped.
    fn is_spent(&self, now: Timestamp) -> bool;
}

/// Values by key.
#[derive(Debug)]
pub(crate) struct Swept<K, V> {
    values: HashMap<K, V, RandomState>,
    /// Each key of the map once, in the order in which they are looked at.
    round: VecDeque<K>,
    writes: usize,
}

impl<K, V> Default for Swept<K, V> {
    fn default() -> Self {
        Self { values: HashMap::default(), round: VecDeque::new(), writes: 0 }
    }
}

impl<K: Copy + Eq + Hash, V: Default + Spent> Swept<K, V> {
    /// The key's value, if there is one.
    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.values.get(&key)
    }

    /// The key's value to be changed, if there is one.
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.values.get_mut(&key)
    }

    /// All that there is.
    pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.values.iter_mut()
    }

    /// The key's value to be changed; a value that was never there is new. Sweeps a little.
    pub(crate) fn change(&mut self, key: K, now: Timestamp) -> &mut V {
        self.writes = self.writes.wrapping_add(1);
        if self.writes.is_multiple_of(SELDOM) || !self.values.contains_key(&key) {
            self.sweep(now);
        }
        let round = &mut self.round;
        self.values.entry(key).or_insert_with(|| {
            round.push_back(key);
            V::default()
        })
    }

    fn sweep(&mut self, now: Timestamp) {
        for _ in 0..LOOKS.min(self.round.len()) {
            let Some(key) = self.round.pop_front() else { return };
            if self.values.get(&key).is_none_or(|value| value.is_spent(now)) {
                self.values.remove(&key);
            } else {
                self.round.push_back(key);
            }
        }
        // A crowd that has left need not keep its room; halving makes that rare enough to cost little.
        if self.values.capacity() > 1024 && self.values.len() < self.values.capacity() / 8 {
            self.values.shrink_to(self.values.capacity() / 2);
            self.round.shrink_to(self.round.capacity() / 2);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        debug_assert_eq!(self.values.len(), self.round.len(), "each key is in the round once");
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::UserId;

    use super::*;

    #[derive(Debug, Default)]
    struct Until(u64);

    impl Spent for Until {
        fn is_spent(&self, now: Timestamp) -> bool {
            self.0 <= now.as_micros()
        }
    }

    #[test]
    fn memory_follows_those_that_are_active() {
        let mut map = Swept::<UserId, Until>::default();
        let mut most = 0;
        for step in 1..=100_000 {
            // Everybody comes once and is spent a hundred steps later.
            *map.change(UserId::new(step).unwrap(), Timestamp::from_micros(step)) = Until(step + 100);
            most = most.max(map.len());
        }
        assert!(most <= 400, "{most}");
    }

    #[test]
    fn a_map_that_nobody_joins_is_swept_too() {
        let mut map = Swept::<UserId, Until>::default();
        let user = |id| UserId::new(id).unwrap();
        for id in 1..=100 {
            *map.change(user(id), Timestamp::from_micros(1)) = Until(if id == 1 { u64::MAX } else { 2 });
        }
        for _ in 0..100 * SELDOM / LOOKS {
            map.change(user(1), Timestamp::from_micros(3));
        }
        assert_eq!(map.len(), 1);
    }

    #[test]
    fn what_is_not_spent_stays() {
        let mut map = Swept::<UserId, Until>::default();
        let user = |id| UserId::new(id).unwrap();
        *map.change(user(1), Timestamp::default()) = Until(u64::MAX);
        for step in 2..1_000 {
            map.change(user(step), Timestamp::from_micros(step));
        }
        assert!(map.get(user(1)).is_some());
        assert!(map.len() <= 4, "{}", map.len());
    }
}

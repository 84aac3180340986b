//! Collects what clients see.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::history::{Board, Event};

/// Events and boards of a stage, in the order of their answers.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    events: Mutex<Vec<Event>>,
    boards: Mutex<Vec<Board>>,
}

impl Recorder {
    /// Notes a request and its answer.
    pub(super) fn note(&self, event: Event) {
        locked(&self.events).push(event);
    }

    /// Notes a leaderboard.
    pub(super) fn note_board(&self, board: Board) {
        locked(&self.boards).push(board);
    }

    /// All of it.
    pub(super) fn take(&self) -> (Vec<Event>, Vec<Board>) {
        (std::mem::take(&mut locked(&self.events)), std::mem::take(&mut locked(&self.boards)))
    }
}

/// A lock whose holder panicked guards data that are as good as any.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

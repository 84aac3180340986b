//! How far long work is, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "a constant that is a template";
/// How often the part moves that only says that it goes on.
const TICK: Duration = Duration::from_millis(100);

/// A bar on standard error; nothing where that is no terminal, or where it is not wanted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar whose end is told as it goes on.
    pub(crate) fn bar(wanted: bool) -> Self {
        let style =
            ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len} {wide_msg}").expect(TEMPLATE);
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self(ProgressBar::with_draw_target(Some(0), target).with_style(style))
    }

    /// A count whose end nobody knows, of what is named. It is not seen before the first number.
    pub(crate) fn counting(what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{spinner} {pos} {msg}").expect(TEMPLATE);
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        Self(bar.with_message(what))
    }

    /// So many are done, of so many, and this is next.
    pub(crate) fn step(&self, done: usize, of: usize, next: &str) {
        self.0.set_length(of as u64);
        self.0.set_position(done as u64);
        self.0.set_message(next.to_owned());
        self.0.enable_steady_tick(TICK);
    }

    /// There are so many by now.
    pub(crate) fn has(&self, so_far: usize) {
        self.0.set_position(so_far as u64);
    }

    /// Takes it away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

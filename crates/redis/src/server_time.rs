//! What time a server has, so that a script can be told when its caller waits no more.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use fred::{clients::Client, types::Value};
use tollbar_core::ports::{Clock as _, SystemClock};

use crate::{failure::is_answer, question::ask};

/// By how much the clock of the server at a connection's end is ahead of our steady one, in microseconds, as of its last answer. It is never too much, but for a
/// clock that was set back since: the answer's way counts as time that had passed already. Zero: not known.
#[derive(Debug, Default)]
pub(crate) struct ServerTime(AtomicU64);

impl ServerTime {
    /// Asks the server. Whether it has answered.
    pub(crate) async fn learn(&self, client: &Client) -> bool {
        match ask(client, "TIME", &[]).await {
            Ok(Value::Array(parts)) => {
                if let [seconds, micros] = &parts[..]
                    && let (Some(seconds), Some(micros)) = (seconds.as_u64(), micros.as_u64())
                {
                    self.heard(seconds.saturating_mul(1_000_000).saturating_add(micros));
                }
                true
            }
            Ok(_) => true,
            Err(error) => is_answer(&error),
        }
    }

    /// Takes over what the server says.
    pub(crate) fn heard(&self, micros: u64) {
        self.0.store(micros.saturating_sub(SystemClock.steady().as_micros()), Relaxed);
    }

    /// Another server may answer now.
    pub(crate) fn forget(&self) {
        self.0.store(0, Relaxed);
    }

    /// What the server's clock says after this span, or a little less.
    pub(crate) fn after(&self, span: Duration) -> Option<u64> {
        let ahead = self.0.load(Relaxed);
        (ahead > 0).then(|| (SystemClock.steady() + span).as_micros().saturating_add(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_known_once_the_server_has_answered_and_until_it_is_another() {
        let (time, second) = (ServerTime::default(), Duration::from_secs(1));
        assert_eq!(time.after(second), None);
        let said = 1_700_000_000_000_000;
        time.heard(said);
        let limit = time.after(second).unwrap();
        assert!((said + 1_000_000..said + 60_000_000).contains(&limit), "{limit}");
        time.forget();
        assert_eq!(time.after(second), None);
    }
}

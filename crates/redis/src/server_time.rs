//! What time a server has, so that a script can be told when its caller waits no more.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use fred::{clients::Client, types::Value};
use tollbar_core::{
    domain::Timestamp,
    ports::{Clock as _, SystemClock},
};

use crate::{failure::is_answer, question::ask};

/// By how much the clock of the server at a connection's end is ahead of our steady one, in microseconds: the most that its answers so far allow to
/// say for sure. It lies between what the server said less the time of the answer, and the same less the time of the question
/// (K. Marzullo, "Maintaining the Time in a Distributed System", 1984); an answer that took long says less than the one before it. Zero: not known.
#[derive(Debug, Default)]
pub(crate) struct ServerTime(AtomicU64);

impl ServerTime {
    /// Asks the server. Whether it has answered.
    pub(crate) async fn learn(&self, client: &Client) -> bool {
        let asked = SystemClock.steady();
        match ask(client, "TIME", &[]).await {
            Ok(Value::Array(parts)) => {
                if let [seconds, micros] = &parts[..]
                    && let (Some(seconds), Some(micros)) = (seconds.as_u64(), micros.as_u64())
                {
                    self.heard(seconds.saturating_mul(1_000_000).saturating_add(micros), asked);
                }
                true
            }
            Ok(_) => true,
            Err(error) => is_answer(&error),
        }
    }

    /// Takes over what the server has said just now to a question of that time.
    pub(crate) fn heard(&self, micros: u64, asked: Timestamp) {
        self.narrow(micros, asked, SystemClock.steady());
    }

    fn narrow(&self, micros: u64, asked: Timestamp, answered: Timestamp) {
        let least = micros.saturating_sub(answered.as_micros());
        let most = micros.saturating_sub(asked.as_micros());
        let narrowed = |known| {
            // A clock that was set back makes a liar of what was known.
            let holds = (least..=most).contains(&known);
            Some(if holds { known } else { least })
        };
        // The closure always gives a value.
        let _ = self.0.fetch_update(Relaxed, Relaxed, narrowed);
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
        time.heard(said, SystemClock.steady());
        let limit = time.after(second).unwrap();
        assert!((said + 1_000_000..said + 60_000_000).contains(&limit), "{limit}");
        time.forget();
        assert_eq!(time.after(second), None);
    }

    #[test]
    fn an_answer_that_took_long_takes_nothing_from_what_is_known() {
        let time = ServerTime::default();
        let at = Timestamp::from_micros;
        let ahead = |asked, said, answered| {
            time.narrow(said, at(asked), at(answered));
            time.0.load(Relaxed)
        };
        assert_eq!(ahead(1_000, 51_000, 1_400), 49_600);
        assert_eq!(ahead(2_000, 52_300, 2_900), 49_600, "900 us on its way: it may be less by itself");
        assert_eq!(ahead(3_000, 53_100, 3_300), 49_800, "300 us: it is more for sure");
        assert_eq!(ahead(4_000, 44_200, 4_400), 39_800, "the clock was set back");
        assert_eq!(ahead(5_000, 65_200, 5_400), 59_800, "and forward");
    }
}

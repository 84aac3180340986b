//! The limits of a user: an exact log for each policy's name.

use tollbar_core::domain::{Decision, ExactLog, Policy, PolicyName, Timestamp};

use crate::swept::Spent;

/// A user's logs; they are few, since policies are.
#[derive(Debug, Default)]
pub(crate) struct UserLimits(Vec<(PolicyName, ExactLog)>);

impl Spent for UserLimits {
    fn is_spent(&self, now: Timestamp) -> bool {
        self.0.iter().all(|(_, log)| log.is_spent(now))
    }
}

impl UserLimits {
    /// Decides one call and, where every window admits it, charges it.
    pub(crate) fn decide(&mut self, policy: &Policy, now: Timestamp) -> Decision {
        self.log(policy.name(), now).decide(policy, now)
    }

    /// What a decision would say now.
    pub(crate) fn peek(&self, policy: &Policy, now: Timestamp) -> Decision {
        match self.find(policy.name()) {
            Some(log) => log.peek(policy, now),
            None => ExactLog::default().peek(policy, now),
        }
    }

    fn find(&self, policy: &PolicyName) -> Option<&ExactLog> {
        self.0.iter().find(|(name, _)| name == policy).map(|(_, log)| log)
    }

    fn log(&mut self, policy: &PolicyName, now: Timestamp) -> &mut ExactLog {
        let found = self.0.iter().position(|(name, _)| name == policy);
        let at = found.unwrap_or_else(|| {
            // Logs of policies that are gone leave when another comes.
            self.0.retain(|(_, log)| !log.is_spent(now));
            self.0.push((policy.clone(), ExactLog::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

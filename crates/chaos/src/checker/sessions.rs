//! P1 and P2: what was acknowledged stays, and what ended stays ended.
//!
//! A session is named by its version, which only rises: a login ends every session of a lower one. So an order of an account's
//! sessions is known, whatever the order of the answers. Where an outcome is unknown, it counts as having happened wherever
//! that excuses an answer, and as not having happened wherever it would accuse one.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Promise, Report, Sort, timeline::Timeline};
use crate::history::{Api, Event, History, Micros, Op, ProcessId, User};

/// How exactly the time of a line in a log is known.
const LOG_PRECISION: Micros = 20_000;
/// Two processes read the clock apart when a session expires.
const EXPIRY_PRECISION: Micros = 50_000;

/// Judges every answer that tells whether a session lives.
pub(super) fn check(history: &History, timeline: &Timeline<'_>, report: &mut Report) {
    let lines = Lines::of(history);
    for (user, events) in history.by_user() {
        let account = Account::of(history, &lines, timeline, user, &events);
        account.judge(&events, timeline, report);
    }
}

/// The changes of which the live tier was not told.
struct Lines(HashMap<(ProcessId, u64), Vec<Micros>>);

impl Lines {
    fn of(history: &History) -> Self {
        let mut lines = HashMap::<_, Vec<_>>::new();
        for line in &history.unconfirmed {
            lines.entry((line.process, line.id)).or_default().push(line.at);
        }
        Self(lines)
    }

    /// Whether a process says so of what this request did.
    fn tell_of(&self, id: Option<u64>, event: &Event) -> bool {
        let lines = id.and_then(|id| self.0.get(&(event.process, id)));
        let (from, to) = (event.sent.saturating_sub(LOG_PRECISION), event.received + LOG_PRECISION);
        lines.is_some_and(|lines| lines.iter().any(|at| (from..=to).contains(at)))
    }
}

/// When a session has ended: at the latest then, and until when some process may not know of it.
#[derive(Debug, Clone, Copy)]
struct End {
    ended: Micros,
    known: Micros,
}

impl End {
    const NEVER: Self = Self { ended: Micros::MAX, known: Micros::MAX };

    fn or(self, other: Self) -> Self {
        Self { ended: self.ended.min(other.ended), known: self.known.min(other.known) }
    }
}

/// What an account's answers tell of its sessions.
struct Account {
    user: User,
    session_ttl: Micros,
    /// How much earlier than that a process may believe it to have ended: as long as a load of its sessions may have taken.
    early: Micros,
    deny_cache: bool,
    signed_up: Option<Micros>,
    /// Acknowledged logins by version: sent and received.
    logins: BTreeMap<u64, (Micros, Micros)>,
    /// Logins of unknown outcome: sent, and until when they may come about.
    open_logins: Vec<(Micros, Micros)>,
    /// When logouts of a session were sent that may have ended it.
    logouts: BTreeMap<u64, Vec<Micros>>,
    ends: BTreeMap<u64, End>,
}

impl Account {
    fn of(history: &History, lines: &Lines, timeline: &Timeline<'_>, user: User, events: &[&Event]) -> Self {
        let (terms, id) = (&history.terms, history.id(user));
        let mut account = Self {
            user,
            session_ttl: terms.session_ttl,
            early: terms.postgres_deadline + EXPIRY_PRECISION,
            deny_cache: terms.deny_cache,
            signed_up: None,
            logins: BTreeMap::new(),
            open_logins: Vec::new(),
            logouts: BTreeMap::new(),
            ends: BTreeMap::new(),
        };
        let untold = terms.cache_ttl + terms.slack;
        let mut ended_at = Vec::new();
        for event in events {
            let grace = |event| if lines.tell_of(id, event) { untold } else { 0 };
            let end = |grace| End { ended: event.received, known: event.received + grace };
            match (event.op, event.answer.code()) {
                (Op::Signup, Some(200)) => account.signed_up = Some(event.received),
                (Op::Login, Some(200)) => {
                    account.logins.insert(event.version, (event.sent, event.received));
                    ended_at.push((Ended::Below(event.version), end(grace(event))));
                }
                (Op::Login, _) if event.answer.leaves_open() => {
                    account.open_logins.push((event.sent, timeline.settled(event)));
                }
                (Op::Logout, Some(204)) => {
                    account.logouts.entry(event.version).or_default().push(event.sent);
                    ended_at.push((Ended::Only(event.version), end(grace(event))));
                }
                (Op::Logout, _) if event.answer.leaves_open() => {
                    account.logouts.entry(event.version).or_default().push(event.sent);
                }
                // One process knows that it has ended. By which change is not known, and so not whether others were told.
                (Op::Call(_) | Op::Logout, Some(401)) => {
                    ended_at.push((Ended::Only(event.version), end(untold)));
                }
                _ => {}
            }
        }
        account.put_together(&ended_at);
        account
    }

    /// Finds the end of each session from what ended it, or all below it.
    fn put_together(&mut self, ended_at: &[(Ended, End)]) {
        let mut below = BTreeMap::<u64, End>::new();
        for (ended, end) in ended_at {
            let known = match ended {
                Ended::Below(version) => below.entry(*version),
                Ended::Only(version) => self.ends.entry(*version),
            }
            .or_insert(End::NEVER);
            *known = known.or(*end);
        }
        // From the last session to the first: what ended any later one's predecessors ended this one.
        let mut later = End::NEVER;
        let versions: Vec<_> = self.logins.iter().rev().map(|(version, times)| (*version, *times)).collect();
        for (version, (_, received)) in versions {
            let expired = received + self.session_ttl + EXPIRY_PRECISION;
            let own = self.ends.entry(version).or_insert(End::NEVER);
            *own = own.or(later).or(End { ended: expired, known: expired });
            later = later.or(below.get(&version).copied().unwrap_or(End::NEVER));
        }
    }

    fn judge(&self, events: &[&Event], timeline: &Timeline<'_>, report: &mut Report) {
        let mut denied = HashSet::new();
        for event in events {
            let (user, version) = (self.user, event.version);
            let mut blame = |about, what: String| {
                let fault = timeline.fault_at(event.received);
                report.blame(Sort { promise: Promise::P1, about, fault }, event.sent, what);
            };
            match (event.op, event.answer.code()) {
                (Op::Login, Some(401)) if self.signed_up.is_some_and(|at| at < event.sent) => {
                    blame("account", format!("account {user} was acknowledged and cannot log in"));
                    report.lost_signups += 1;
                }
                (Op::Call(_) | Op::Logout, Some(401)) if !self.may_have_ended(event) => {
                    let what =
                        format!("session {version} of account {user} is refused, and nothing ended it");
                    blame("session", what);
                    report.lost_sessions += 1;
                }
                (Op::Call(_) | Op::Logout, Some(401)) => report.refused_sessions += 1,
                (Op::Call(api), Some(code @ (200 | 429))) => {
                    // By the order of sending: the first denial of a session at a process is never a remembered one.
                    let is_first = denied.insert((event.process, version, api)) || code == 200;
                    if code == 429 && self.deny_cache && !is_first {
                        continue;
                    }
                    self.judge_admission(event, api, timeline, report);
                }
                (Op::Logout, Some(204)) if self.end(version).ended < event.sent => {
                    // It asks the durable tier, which always knows.
                    blame("logout", format!("session {version} of account {user} was ended twice"));
                    report.lost_sessions += 1;
                }
                _ => {}
            }
        }
    }

    fn judge_admission(&self, event: &Event, api: Api, timeline: &Timeline<'_>, report: &mut Report) {
        let end = self.end(event.version);
        if event.sent <= end.ended {
            return;
        }
        report.probes += 1;
        if event.sent <= end.known {
            report.within_bound += 1;
            return;
        }
        report.resurrected += 1;
        let what = format!(
            "session {} of account {} had ended by {} us, and a call of {} at process {} took it as live ({})",
            event.version,
            self.user,
            end.ended,
            api.name(),
            event.process,
            event.answer,
        );
        let fault = timeline.fault_at(event.sent);
        report.blame(Sort { promise: Promise::P2, about: "session", fault }, event.sent, what);
    }

    fn end(&self, version: u64) -> End {
        self.ends.get(&version).copied().unwrap_or(End::NEVER)
    }

    /// Whether anything that was sent before this answer came may have ended its session.
    fn may_have_ended(&self, event: &Event) -> bool {
        // Of a session that no login has acknowledged, nothing was promised.
        let Some(&(sent, _)) = self.logins.get(&event.version) else { return true };
        let expires = (sent + self.session_ttl).saturating_sub(self.early);
        let later = self.logins.range(event.version + 1..).any(|(_, (sent, _))| *sent < event.received);
        // It may have made a session between ours and its answer, unless ours was asked for when it could not any more.
        let open = self.open_logins.iter().any(|(begun, settled)| *begun < event.received && sent < *settled);
        let mut logouts = self.logouts.get(&event.version).into_iter().flatten();
        let logged_out = logouts.any(|sent| *sent < event.received);
        expires <= event.received || later || open || logged_out
    }
}

/// Which sessions a change ends.
#[derive(Debug, Clone, Copy)]
enum Ended {
    /// All of a lower version.
    Below(u64),
    /// This one.
    Only(u64),
}

#[cfg(test)]
mod tests;

//! Use case: whether a request of any API goes through, by the policy that is for it.

use std::{net::IpAddr, sync::Arc};

use tracing::{info, warn};
use zeroize::Zeroizing;

use crate::{
    StoreError,
    domain::{Decision, Fingerprint, Policy, Subject, UserId, Version},
    policies::{Mode, OnOutage, Policies, PolicyTable, RequestPath, Rule, Whom},
    ports::{Admission, Gate},
};

/// What a request presents to say who calls.
#[derive(Debug, Clone, Default)]
pub enum Credential {
    /// Nothing.
    #[default]
    None,
    /// A text that may be a token. Wiped when dropped.
    Token(Zeroizing<String>),
    /// What cannot be one, or two that disagree.
    Malformed,
    /// A cookie with a request that another site may have sent.
    CrossSite,
}

/// What is known of a request.
pub struct RequestFacts<'a> {
    /// `GET`, …
    pub method: &'a str,
    /// The `Host` that the client asked for; asked for only where a policy wants one.
    pub host: &'a dyn Fn() -> Option<&'a str>,
    /// The path that it asked for.
    pub path: RequestPath<'a>,
    /// Where the client is; asked for only where a policy limits by it.
    pub address: &'a dyn Fn() -> Option<IpAddr>,
    /// The value of a header, by its name.
    pub header: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    /// Who the client says it is.
    pub credential: Credential,
}

/// A request with the rule that it goes by, whatever becomes of the list meanwhile.
#[derive(Debug)]
pub struct Question {
    rule: Option<Arc<Rule>>,
    policy: Option<Policy>,
    /// Who is limited, where that is not the user.
    subject: Option<Subject>,
    credential: Credential,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// Which of the user's sessions; with the user it names one session of all.
    pub session: Version,
}

/// A policy and what it says of a call; without windows where nothing limits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The policy.
    pub policy: Policy,
    /// Its decision.
    pub decision: Decision,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes through.
    Admitted {
        /// Who calls, where the policy needs a session.
        identity: Option<Identity>,
        /// The limits that it was held to.
        limits: Option<Limits>,
    },
    /// It is over a limit.
    Limited(Limits),
    /// It needs a session and names none.
    NoCredential,
    /// What it names is no live session.
    InvalidCredential,
    /// Another site may have sent it in its user's name.
    CrossSite,
    /// No policy is for it, and such requests are refused.
    Unmatched,
}

/// Decides requests by the current policies.
pub struct Authorize {
    policies: Policies,
    gate: Arc<dyn Gate>,
    /// For policies that are open, and that are local, while the live tier is away.
    open: Arc<dyn Gate>,
    local: Arc<dyn Gate>,
}

impl Authorize {
    /// Decides through `gate`; where that fails for now, through the gate that the policy chooses.
    pub fn new(policies: Policies, gate: Arc<dyn Gate>, open: Arc<dyn Gate>, local: Arc<dyn Gate>) -> Self {
        Self { policies, gate, open, local }
    }

    /// The policies that it goes by.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Exchanges the policies: requests that come from now on go by the new ones, and no denial by the old is repeated.
    pub fn exchange(&self, table: PolicyTable) {
        self.policies.exchange(table);
        self.gate.policies_changed();
    }

    /// Finds the rule of a request and all that it asks for. Nothing is looked up.
    pub fn question(&self, request: RequestFacts<'_>) -> Question {
        let table = self.policies.current();
        let host = if table.asks_for_hosts() { (request.host)() } else { None };
        let rule = table.find(request.method, host, &request.path).cloned();
        let mut policy = rule.as_ref().map(|rule| rule.policy(request.method).clone());
        let mut subject = None;
        match rule.as_ref().map(|rule| &rule.options().whom) {
            Some(Whom::UserAndPath) => {
                let path = Fingerprint::of_path(request.path.as_str());
                policy = policy.map(|policy| policy.at_path(path));
            }
            // Clients without an address are one subject, as those without a header are.
            Some(Whom::Address) => {
                subject =
                    Some((request.address)().map_or_else(|| Subject::header("", None), Subject::address));
            }
            Some(Whom::Header(name)) => {
                subject = Some(Subject::header(name, (request.header)(name).as_deref()));
            }
            Some(Whom::User) | None => {}
        }
        // Without a limit there is nobody to charge.
        let subject = subject.filter(|_| policy.as_ref().is_some_and(|policy| !policy.windows().is_empty()));
        Question { rule, policy, subject, credential: request.credential }
    }

    /// Decides a request; an admitted one is charged and counted.
    ///
    /// # Errors
    /// A tier failed and the policy does not go on without it; the call must not be acknowledged.
    pub async fn decide(&self, question: &Question) -> Result<Verdict, StoreError> {
        let (Some(rule), Some(policy)) = (&question.rule, &question.policy) else {
            return Ok(Verdict::Unmatched);
        };
        let mut limits = None;
        let mut policy = policy;
        if let Some(subject) = question.subject {
            let decision = self.limit(rule, subject, policy).await?;
            let decided = Limits { policy: policy.clone(), decision };
            if !decided.decision.allowed() && enforces(rule, &decided, None) {
                return Ok(Verdict::Limited(decided));
            }
            // A gate that limits nobody says nothing of windows.
            limits = (!decided.decision.windows.is_empty()).then_some(decided);
            policy = rule.counting();
        }
        let limits = limits.filter(|_| rule.options().mode == Mode::Enforce);
        if !rule.options().session {
            return Ok(Verdict::Admitted { identity: None, limits });
        }
        let token = match &question.credential {
            Credential::Token(token) => token,
            Credential::None => return Ok(Verdict::NoCredential),
            Credential::Malformed => return Ok(Verdict::InvalidCredential),
            Credential::CrossSite => return Ok(Verdict::CrossSite),
        };
        let mut admission = self.admit(rule, token, policy).await?;
        if let Admission::Limited { user, decision } = admission {
            let decided = Limits { policy: policy.clone(), decision };
            if enforces(rule, &decided, Some(user)) {
                return Ok(Verdict::Limited(decided));
            }
            admission = self.admit(rule, token, rule.counting()).await?;
        }
        Ok(match admission {
            Admission::Admitted { user, session, decision } => {
                let own = (rule.options().mode == Mode::Enforce && !decision.windows.is_empty())
                    .then(|| Limits { policy: policy.clone(), decision });
                Verdict::Admitted { identity: Some(Identity { user, session }), limits: limits.or(own) }
            }
            // A policy without windows limits nobody.
            Admission::Unauthenticated | Admission::Limited { .. } => Verdict::InvalidCredential,
        })
    }

    async fn admit(&self, rule: &Rule, token: &str, policy: &Policy) -> Result<Admission, StoreError> {
        match self.gate.admit(token, policy).await {
            Err(error) => self.instead(rule, error)?.admit(token, policy).await,
            decided => decided,
        }
    }

    async fn limit(&self, rule: &Rule, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        match self.gate.limit(subject, policy).await {
            Err(error) => self.instead(rule, error)?.limit(subject, policy).await,
            decided => decided,
        }
    }

    /// The gate that a rule chooses where the usual one has failed for now.
    fn instead(&self, rule: &Rule, error: StoreError) -> Result<&Arc<dyn Gate>, StoreError> {
        let gate = match rule.options().on_outage {
            OnOutage::Open => &self.open,
            OnOutage::Local => &self.local,
            OnOutage::Closed => return Err(error),
        };
        if !error.is_transient() {
            return Err(error);
        }
        warn!(policy = %rule.options().policy.name(), ?error, "decided without the live tier");
        Ok(gate)
    }
}

/// Whether a denial is carried out; one that is not is told to the log.
fn enforces(rule: &Rule, denied: &Limits, user: Option<UserId>) -> bool {
    let enforces = rule.options().mode == Mode::Enforce;
    if !enforces {
        let (user, wait) = (user.map(UserId::get), denied.decision.retry_after());
        info!(policy = %denied.policy.name(), user, ?wait, "a policy in shadow mode would have denied a call");
    }
    enforces
}

#[cfg(test)]
mod tests;

//! Use case: whether a request of any API goes through, by the policy that is for it.

use std::{net::IpAddr, sync::Arc};

use tracing::{debug, info};
use zeroize::Zeroizing;

use crate::{
    StoreError,
    counts::CallBook,
    domain::{ApiName, CallOutcome, Decision, Fingerprint, Incarnation, Policy, Subject},
    policies::{Mode, OnOutage, Policies, PolicyTable, RequestPath, Rule, Whom, is_ambiguous_method},
    ports::{Admission, Gate, Standby},
    usecases::{Fate, Identity, Limits, Verdict},
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
    /// The path that it asked for, with or without a query.
    pub target: &'a [u8],
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
    is_ambiguous: bool,
    /// Who is limited, where that is not the user.
    subject: Option<Subject>,
    credential: Credential,
}

/// Decides requests by the current policies.
pub struct Authorize {
    policies: Policies,
    gate: Arc<dyn Gate>,
    /// For policies that are open, and that are local, while the live tier is away.
    open: Arc<dyn Standby>,
    local: Option<Arc<dyn Standby>>,
    /// Where what becomes of calls is noted.
    book: Arc<CallBook>,
}

/// Who decides a request once the gate has failed, and what that failure leaves to be heeded. A request waits once to learn of an outage.
#[derive(Clone, Copy)]
struct Instead<'a> {
    standby: &'a dyn Standby,
    noted_under: Option<Incarnation>,
}

impl Authorize {
    /// Decides through `gate`; where that fails for now, through the standby that the policy chooses. Without `local`, policies that
    /// choose it are closed then. `book`: in which the gates count.
    pub fn new(
        policies: Policies,
        gate: Arc<dyn Gate>,
        open: Arc<dyn Standby>,
        local: Option<Arc<dyn Standby>>,
        book: Arc<CallBook>,
    ) -> Self {
        Self { policies, gate, open, local, book }
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
        let nothing = Question {
            rule: None,
            policy: None,
            is_ambiguous: false,
            subject: None,
            credential: Credential::None,
        };
        let (Ok(path), false) = (RequestPath::of(request.target), is_ambiguous_method(request.method)) else {
            return Question { is_ambiguous: true, ..nothing };
        };
        let table = self.policies.current();
        let host = if table.asks_for_hosts() { (request.host)() } else { None };
        let Some(rule) = table.find(request.method, host, &path).cloned() else { return nothing };
        let mut policy = rule.policy(request.method).clone();
        let subject = match &rule.options().whom {
            // Without a limit there is nobody to charge.
            _ if policy.windows().is_empty() => None,
            Whom::User => None,
            Whom::UserAndPath => {
                policy = policy.at_path(Fingerprint::of_path(path.as_str()));
                None
            }
            // Clients without an address are one subject, as those without a header are.
            Whom::Address => {
                Some((request.address)().map_or_else(|| Subject::header("", None), Subject::address))
            }
            Whom::Header(name) => Some(Subject::header(name, (request.header)(name).as_deref())),
        };
        let (rule, policy, credential) = (Some(rule), Some(policy), request.credential);
        Question { rule, policy, subject, credential, ..nothing }
    }

    /// Decides a request; an admitted one is charged and counted.
    ///
    /// # Errors
    /// A tier failed and the policy does not go on without it; the call must not be acknowledged.
    pub async fn decide(&self, question: &Question) -> Result<Verdict, StoreError> {
        let (Some(rule), Some(policy)) = (&question.rule, &question.policy) else {
            let fate = if question.is_ambiguous { Fate::Ambiguous } else { Fate::Unmatched };
            return Ok(Verdict { fate, limits: None });
        };
        let decided = self.decide_by(rule, policy, question).await;
        let tally = rule.tally();
        match decided.as_ref().map(|verdict| &verdict.fate) {
            Ok(Fate::Admitted(_)) => tally.admitted.increment(1),
            Ok(Fate::Limited(limits)) if limits.decision.repeated => tally.repeated.increment(1),
            Ok(Fate::Limited(_)) => tally.limited.increment(1),
            Ok(_) => tally.refused.increment(1),
            Err(_) => tally.failed.increment(1),
        }
        decided
    }

    async fn decide_by(
        &self,
        rule: &Rule,
        policy: &Policy,
        question: &Question,
    ) -> Result<Verdict, StoreError> {
        let (mut limits, mut policy, mut instead) = (None, policy, None);
        if let Some(subject) = question.subject {
            let decision = self.limit(&mut instead, rule, subject, policy).await?;
            let is_denied = !decision.allowed() && enforces(rule, &decision, subject);
            let decided = Limits { policy: policy.clone(), decision };
            if is_denied {
                let repeated = decided.decision.repeated;
                self.book.note(policy.api(), CallOutcome::Limited { user: None, repeated });
                return Ok(Verdict { fate: Fate::Limited(decided), limits: None });
            }
            // A gate that limits nobody says nothing of windows.
            limits = (!decided.decision.windows.is_empty()).then_some(decided);
            policy = rule.counting();
        }
        let (fate, own) = self.identify(instead, rule, policy, &question.credential).await?;
        self.note(policy.api(), &fate);
        let limits = limits.or(own).filter(|_| rule.options().mode == Mode::Enforce);
        Ok(Verdict { fate, limits })
    }

    /// Notes what becomes of a call, unless that is done where more is known of it.
    fn note(&self, api: &ApiName, fate: &Fate) {
        match fate {
            Fate::Admitted(None) => self.book.note(api, CallOutcome::Admitted),
            Fate::NoCredential | Fate::InvalidCredential | Fate::CrossSite => {
                self.book.note(api, CallOutcome::Refused);
            }
            Fate::Admitted(Some(_)) | Fate::Limited(_) | Fate::Unmatched | Fate::Ambiguous => {}
        }
    }

    /// Asks who calls, if the rule wants to know, and limits the user.
    async fn identify<'a>(
        &'a self,
        mut instead: Option<Instead<'a>>,
        rule: &Rule,
        policy: &Policy,
        credential: &Credential,
    ) -> Result<(Fate, Option<Limits>), StoreError> {
        let token = match credential {
            _ if !rule.options().session => return Ok((Fate::Admitted(None), None)),
            Credential::Token(token) => token,
            Credential::None => return Ok((Fate::NoCredential, None)),
            Credential::Malformed => return Ok((Fate::InvalidCredential, None)),
            Credential::CrossSite => return Ok((Fate::CrossSite, None)),
        };
        let mut admission = self.admit(&mut instead, rule, token, policy).await?;
        if let Admission::Limited { user, decision } = admission {
            if enforces(rule, &decision, user.into()) {
                let outcome = CallOutcome::Limited { user: Some(user), repeated: decision.repeated };
                self.book.note(policy.api(), outcome);
                return Ok((Fate::Limited(Limits { policy: policy.clone(), decision }), None));
            }
            admission = self.admit(&mut instead, rule, token, rule.counting()).await?;
        }
        Ok(match admission {
            Admission::Admitted { user, session, decision } => {
                let own = (!decision.windows.is_empty()).then(|| Limits { policy: policy.clone(), decision });
                (Fate::Admitted(Some(Identity { user, session })), own)
            }
            // A policy without windows limits nobody.
            Admission::Unauthenticated | Admission::Limited { .. } => (Fate::InvalidCredential, None),
        })
    }

    /// Asks the gate, or who decides instead; where the gate fails, that is chosen.
    async fn admit<'a>(
        &'a self,
        instead: &mut Option<Instead<'a>>,
        rule: &Rule,
        token: &str,
        policy: &Policy,
    ) -> Result<Admission, StoreError> {
        let Instead { standby, noted_under } = match *instead {
            Some(known) => known,
            None => match self.gate.admit(token, policy).await {
                Err(error) => *instead.insert(self.instead(rule, error)?),
                decided => return decided,
            },
        };
        standby.admit(token, policy, noted_under).await
    }

    async fn limit<'a>(
        &'a self,
        instead: &mut Option<Instead<'a>>,
        rule: &Rule,
        subject: Subject,
        policy: &Policy,
    ) -> Result<Decision, StoreError> {
        match self.gate.limit(subject, policy).await {
            Err(error) => instead.insert(self.instead(rule, error)?).standby.limit(subject, policy).await,
            decided => decided,
        }
    }

    /// Who decides by this rule where the gate has failed for now.
    fn instead(&self, rule: &Rule, error: StoreError) -> Result<Instead<'_>, StoreError> {
        let options = rule.options();
        // Too many calls at once are no outage: to open then would be to open in the very flood that the limit is for. And a durable
        // tier that is away would only fail once more.
        let is_outage = error.is_outage();
        let standby = match (options.mode, options.on_outage) {
            // A shadow denies nobody.
            (Mode::Shadow, _) if is_outage || error.is_overloaded() => Some(&self.open),
            (Mode::Enforce, OnOutage::Open) if is_outage => Some(&self.open),
            (Mode::Enforce, OnOutage::Local) if is_outage => self.local.as_ref(),
            _ => None,
        };
        let Some(standby) = standby else { return Err(error) };
        debug!(policy = %options.policy.name(), ?error, "decided without the live tier");
        Ok(Instead { standby: &**standby, noted_under: error.noted_under() })
    }
}

/// Whether a denial is carried out; one that is not is told to the log, with its user or the fingerprint of who else it is.
fn enforces(rule: &Rule, decision: &Decision, subject: Subject) -> bool {
    let options = rule.options();
    if options.mode == Mode::Shadow {
        let wait = decision.retry_after();
        rule.tally().shadowed.increment(1);
        info!(policy = %options.policy.name(), %subject, ?wait, "a policy in shadow mode would have denied a call");
    }
    options.mode == Mode::Enforce
}

#[cfg(test)]
mod tests;

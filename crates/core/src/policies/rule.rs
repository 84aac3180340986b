//! One entry of the list: what it matches, and what then holds.

use super::{HostPattern, MAX_SEGMENTS, PathPattern, RequestPath, tally::RuleTally};
use crate::domain::{Policy, PolicyError};

/// Whom a policy limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Whom {
    /// The user of the session.
    #[default]
    User,
    /// The user, for each path by itself.
    UserAndPath,
    /// The client's address; an IPv6 client is its /64.
    Address,
    /// What this header says, such as an API key. Calls without it are limited together.
    Header(String),
}

/// Whether a denial is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is.
    #[default]
    Enforce,
    /// It is recorded, and the call goes through.
    Shadow,
}

/// What holds while the live tier cannot decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnOutage {
    /// Nothing goes through: 503.
    #[default]
    Closed,
    /// Whoever has a session by the durable tier goes through, without a limit.
    Open,
    /// The same within a limit of this process: the quota over as many periods as there are live processes.
    Local,
}

/// What a [`Rule`] is made of.
#[derive(Debug, Clone)]
pub struct RuleOptions {
    /// Name, API, windows, algorithm; and the cost of methods that `costs` does not name.
    pub policy: Policy,
    /// Costs by method.
    pub costs: Vec<(String, u32)>,
    /// Which methods it is for; all where there is none. `GET` is for `HEAD`, too.
    pub methods: Vec<String>,
    /// Which host it is for; all where there is none.
    pub host: Option<HostPattern>,
    /// Which paths it is for.
    pub path: PathPattern,
    /// Whom it limits.
    pub whom: Whom,
    /// Whether a call needs a live session.
    pub session: bool,
    /// Whether it denies.
    pub mode: Mode,
    /// What holds while the live tier is away.
    pub on_outage: OnOutage,
}

impl RuleOptions {
    /// A rule that enforces a policy on users on these paths.
    pub fn new(policy: Policy, path: PathPattern) -> Self {
        Self {
            policy,
            costs: Vec::new(),
            methods: Vec::new(),
            host: None,
            path,
            whom: Whom::default(),
            session: true,
            mode: Mode::default(),
            on_outage: OnOutage::default(),
        }
    }
}

/// Which rule about rules is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The path is no pattern.
    #[error(
        "a path is \"/a/b\", \"/a/{{segment}}\", or \"/a/*\" for /a and all below; text and {{segment}} fill a whole segment"
    )]
    Path,
    /// The path could never match.
    #[error(
        "a path is written as requests are compared with it: without empty or dot segments, a last \"/\" or escapes"
    )]
    PathForm,
    /// The path has too many segments.
    #[error("a path has at most {MAX_SEGMENTS} segments")]
    PathLength,
    /// The host is none.
    #[error("a host is a name such as \"api.example.com\", or \"*.example.com\", without a port")]
    Host,
    /// A method that no request can have.
    #[error("a method is a word in upper case, such as \"GET\"")]
    Method,
    /// A header that no request can have.
    #[error("a header's name has letters, digits and '-'")]
    Header,
    /// Whoever has no session is no user.
    #[error("a limit by user needs session = true")]
    Session,
    /// The policy refuses a cost.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// An entry of the list.
#[derive(Debug, Clone)]
pub struct Rule {
    options: RuleOptions,
    /// The policy with the cost of each method that has one of its own.
    by_method: Vec<(String, Policy)>,
    counting: Policy,
    tally: RuleTally,
}

/// Why a rule does not apply to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// Another path.
    Path,
    /// Another method.
    Method,
    /// Another host.
    Host,
}

impl Rule {
    /// Checks that the options fit together.
    pub fn new(options: RuleOptions) -> Result<Self, RuleError> {
        let is_method = |method: &str| {
            !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        };
        let costs = options.costs.iter().map(|(method, _)| method);
        if !options.methods.iter().chain(costs).all(|method| is_method(method)) {
            return Err(RuleError::Method);
        }
        if let Whom::Header(name) = &options.whom
            && (name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        {
            return Err(RuleError::Header);
        }
        if matches!(options.whom, Whom::User | Whom::UserAndPath)
            && !options.session
            && !options.policy.windows().is_empty()
        {
            return Err(RuleError::Session);
        }
        let by_method = options
            .costs
            .iter()
            .map(|(method, cost)| Ok((method.clone(), options.policy.clone().with_cost(*cost)?)));
        let by_method = by_method.collect::<Result<_, PolicyError>>()?;
        let counting = options.policy.without_windows();
        let tally = RuleTally::of(options.policy.name().as_str());
        Ok(Self { options, by_method, counting, tally })
    }

    /// Where its decisions are counted.
    pub(crate) fn tally(&self) -> &RuleTally {
        &self.tally
    }

    /// What it was made of.
    pub fn options(&self) -> &RuleOptions {
        &self.options
    }

    /// The limits of a call by this method; those of `GET` are for `HEAD`, too, where it has none of its own.
    pub fn policy(&self, method: &str) -> &Policy {
        let own = |method: &str| self.by_method.iter().find(|(known, _)| known == method);
        // Whoever answers HEAD does what GET takes.
        let own = own(method).or_else(|| if method == "HEAD" { own("GET") } else { None });
        own.map_or(&self.options.policy, |(_, policy)| policy)
    }

    /// The policy that counts its calls and limits none.
    pub fn counting(&self) -> &Policy {
        &self.counting
    }

    /// Whether method and host are those of this rule.
    pub(super) fn takes(&self, method: &str, host: Option<&str>) -> bool {
        self.takes_method(method) && self.takes_host(host)
    }

    fn takes_method(&self, method: &str) -> bool {
        let methods = &self.options.methods;
        let named = |method: &str| methods.iter().any(|known| known == method);
        methods.is_empty() || named(method) || (method == "HEAD" && named("GET"))
    }

    fn takes_host(&self, host: Option<&str>) -> bool {
        let wanted = self.options.host.as_ref();
        wanted.is_none_or(|wanted| host.is_some_and(|host| wanted.matches(host)))
    }

    /// Why it is not for such a request, if it is not.
    pub fn mismatch(&self, method: &str, host: Option<&str>, path: &RequestPath<'_>) -> Option<Mismatch> {
        if !self.options.path.matches(path) {
            return Some(Mismatch::Path);
        }
        if !self.takes_method(method) {
            return Some(Mismatch::Method);
        }
        (!self.takes_host(host)).then_some(Mismatch::Host)
    }
}

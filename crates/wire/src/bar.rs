//! The bar itself, as every framework puts it in front of something.

use std::sync::Arc;

use tollbar_core::usecases::{Authorize, Credential, Fate, Identity, Question, RequestFacts, Verdict};

use crate::{Denial, HeaderFormat, Headers, Incoming, TrustedProxies, credential};

/// What a service chooses about its bar.
#[derive(Debug, Clone, Default)]
pub struct BarOptions {
    /// Which headers tell of limits.
    pub headers: HeaderFormat,
    /// Whether the session cookie is a credential, too.
    pub cookies: bool,
    /// Whose word is taken for who a client is.
    pub trusted_proxies: TrustedProxies,
}

/// Decides requests. Cheap to clone.
#[derive(Clone)]
pub struct Bar {
    authorize: Arc<Authorize>,
    options: Arc<BarOptions>,
}

/// A request that goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Who calls; nobody where the policy needs no session.
    pub identity: Option<Identity>,
    /// What tells the client its limits, for the answer.
    pub headers: Vec<(&'static str, String)>,
}

impl Passed {
    /// What tells an application behind a proxy who calls: both always present, empty where nobody is known, so that what a client
    /// says of itself is overwritten.
    pub fn identity_headers(&self) -> [(&'static str, String); 2] {
        let (user, session) = self.identity.map_or_else(Default::default, |Identity { user, session }| {
            (user.to_string(), format!("{user}-{}", session.get()))
        });
        [("x-tollbar-user", user), ("x-tollbar-session", session)]
    }
}

impl Bar {
    /// A bar that decides so.
    pub fn new(authorize: Arc<Authorize>, options: BarOptions) -> Self {
        Self { authorize, options: Arc::new(options) }
    }

    /// What it was told.
    pub fn options(&self) -> &BarOptions {
        &self.options
    }

    /// What decides.
    pub fn authorize(&self) -> &Authorize {
        &self.authorize
    }

    /// What a request presents.
    pub fn credential<H: Headers + ?Sized>(&self, request: &Incoming<'_, H>) -> Credential {
        credential::of(request, self.options.cookies)
    }

    /// All that a decision needs of a request, which is not needed any more from here on.
    pub fn question<H: Headers + ?Sized>(&self, request: &Incoming<'_, H>) -> Question {
        // Of two values an application takes the one and we would take the other: they are as good as none.
        let header = |name: &str| request.headers().one(&name.to_ascii_lowercase()).map(<[u8]>::to_vec);
        self.authorize.question(RequestFacts {
            method: request.method(),
            host: &|| request.host(),
            target: request.target(),
            address: &|| request.address(),
            header: &header,
            credential: self.credential(request),
        })
    }

    /// Decides; a request that goes through is charged and counted.
    ///
    /// # Errors
    /// Why it does not go through.
    pub async fn decide(&self, question: &Question) -> Result<Passed, Denial> {
        let format = self.options.headers;
        let Verdict { fate, limits } = match self.authorize.decide(question).await {
            Ok(verdict) => verdict,
            Err(error) => return Err(Denial::Unavailable(error)),
        };
        let denial = match fate {
            Fate::Admitted(identity) => {
                let headers = limits.map(|limits| format.headers(&limits)).unwrap_or_default();
                return Ok(Passed { identity, headers });
            }
            Fate::Limited(limits) => Denial::Limited(limits, format),
            Fate::NoCredential => Denial::NoCredential,
            Fate::InvalidCredential => Denial::InvalidToken,
            Fate::CrossSite => Denial::CrossSite,
            Fate::Unmatched => Denial::Unmatched,
            Fate::Ambiguous => Denial::Ambiguous,
        };
        // Whoever was charged all the same is told.
        Err(match limits {
            Some(limits) => Denial::Charged(Box::new(denial), format.headers(&limits)),
            None => denial,
        })
    }
}

//! Which deployment a URL names, with nothing in it that we would quietly ignore.

use std::fmt;

use fred::types::config::Config;
use url::{Url, form_urlencoded};

use crate::address::Address;

/// Why a URL names no engine. Never holds the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisUrlError {
    /// Not a URL at all.
    #[error("not a URL: {0}")]
    Malformed(url::ParseError),
    /// Another scheme.
    #[error("it must begin with redis://, redis-cluster:// or redis-sentinel://, or with rediss… for TLS")]
    Scheme,
    /// No host.
    #[error("it names no host")]
    Host,
    /// A path that is no number of a database.
    #[error("its path is no number of a database (0 to 255)")]
    Database,
    /// A path where there are no databases.
    #[error("a cluster has no numbered databases: its path must be empty")]
    ClusterDatabase,
    /// A query or a fragment.
    #[error("it must not have a query or a fragment")]
    Query,
    /// A query that says something else than it may.
    #[error("its query may say {0}, and nothing else")]
    Parameter(&'static str),
    /// A parameter that stands there twice.
    #[error("its query says {0} twice")]
    Twice(&'static str),
    /// Another node that cannot be read.
    #[error("a node in its query is no HOST[:PORT]")]
    Node,
    /// Sentinels that are not told what they are asked for.
    #[error("it must name the service that the sentinels watch: ?service=NAME")]
    Service,
    /// Credentials that cannot be read.
    #[error("its user name or password is not percent-encoded UTF-8")]
    Credentials,
}

/// A deployment, and who we are to it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    /// Whether the scheme asks for TLS.
    pub(crate) tls: bool,
    pub(crate) user: User,
    pub(crate) database: Option<u8>,
}

/// How an engine is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One server.
    Server(Address),
    /// A server that sentinels name.
    Sentinel { sentinels: Vec<Address>, service: String, user: User },
    /// Servers that divide the slots of a cluster among them; these are known beforehand.
    Cluster(Vec<Address>),
}

/// A name and a password. Neither is shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: Option<String>,
    pub(crate) password: Option<String>,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("User")
    }
}

/// Whether an engine can be reached by this URL, as far as its text tells.
///
/// # Errors
/// It names none.
pub fn check_url(text: &str) -> Result<(), RedisUrlError> {
    target_of(text).map(drop)
}

/// Whether the URL asks for TLS.
pub fn is_tls(text: &str) -> bool {
    text.starts_with("rediss")
}

/// The deployment that the URL names.
pub(crate) fn target_of(text: &str) -> Result<Target, RedisUrlError> {
    let url = Url::parse(text).map_err(RedisUrlError::Malformed)?;
    let (tls, form) = match url.scheme().strip_prefix("rediss") {
        Some(form) => (true, form),
        None => (false, url.scheme().strip_prefix("redis").ok_or(RedisUrlError::Scheme)?),
    };
    let kind = match form {
        "" => server,
        "-cluster" => cluster,
        "-sentinel" => sentinel,
        _ => return Err(RedisUrlError::Scheme),
    };
    if url.fragment().is_some() {
        return Err(RedisUrlError::Query);
    }
    let kind = kind(&url)?;
    let database = match url.path().trim_start_matches('/') {
        "" => None,
        number => Some(number.parse().map_err(|_| RedisUrlError::Database)?),
    };
    Ok(Target { kind, tls, user: user(&url)?, database })
}

fn server(url: &Url) -> Result<Kind, RedisUrlError> {
    if url.query().is_some() {
        return Err(RedisUrlError::Query);
    }
    Address::of_url(url, 6379).map(Kind::Server).ok_or(RedisUrlError::Host)
}

fn cluster(url: &Url) -> Result<Kind, RedisUrlError> {
    let mut seeds = vec![Address::of_url(url, 6379).ok_or(RedisUrlError::Host)?];
    if !url.path().trim_start_matches('/').is_empty() {
        return Err(RedisUrlError::ClusterDatabase);
    }
    for (name, value) in parameters(url)? {
        match name.as_str() {
            "node" => seeds.push(Address::of_text(&value, 6379).ok_or(RedisUrlError::Node)?),
            _ => return Err(RedisUrlError::Parameter("node=HOST[:PORT]")),
        }
    }
    Ok(Kind::Cluster(seeds))
}

fn sentinel(url: &Url) -> Result<Kind, RedisUrlError> {
    const MAY: &str = "service=NAME, node=HOST[:PORT], sentinel_user=NAME and sentinel_password=PASSWORD";
    let mut sentinels = vec![Address::of_url(url, 26379).ok_or(RedisUrlError::Host)?];
    let (mut service, mut user) = (None, User::default());
    for (name, value) in parameters(url)? {
        // The longer names are those of other clients.
        let (name, place) = match name.as_str() {
            "node" => {
                sentinels.push(Address::of_text(&value, 26379).ok_or(RedisUrlError::Node)?);
                continue;
            }
            "service" | "sentinelServiceName" => ("service", &mut service),
            "sentinel_user" | "sentinelUsername" => ("sentinel_user", &mut user.name),
            "sentinel_password" | "sentinelPassword" => ("sentinel_password", &mut user.password),
            _ => return Err(RedisUrlError::Parameter(MAY)),
        };
        if place.replace(value).is_some() {
            return Err(RedisUrlError::Twice(name));
        }
    }
    let service = service.filter(|name| !name.is_empty()).ok_or(RedisUrlError::Service)?;
    Ok(Kind::Sentinel { sentinels, service, user })
}

/// The query, decoded; a plus is a plus, as it is in the rest of a URL.
fn parameters(url: &Url) -> Result<Vec<(String, String)>, RedisUrlError> {
    let query = url.query().unwrap_or_default().replace('+', "%2B");
    let parameters = form_urlencoded::parse(query.as_bytes());
    let parameters: Vec<_> =
        parameters.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let is_text = |text: &String| !text.contains(char::REPLACEMENT_CHARACTER);
    let all_text = parameters.iter().all(|(name, value)| is_text(name) && is_text(value));
    if all_text { Ok(parameters) } else { Err(RedisUrlError::Credentials) }
}

fn user(url: &Url) -> Result<User, RedisUrlError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(User::default());
    }
    // The driver reads what is encoded; it need not know the rest.
    let only_user = format!("redis://{}:{}@h", url.username(), url.password().unwrap_or_default());
    let read = Config::from_url_centralized(&only_user).map_err(|_| RedisUrlError::Credentials)?;
    Ok(User { name: read.username, password: read.password })
}

/// Host, port and database, for people; of a service, its name and where it is asked for.
pub(crate) fn place(target: &Target) -> String {
    let all =
        |addresses: &[Address]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let database = target.database.map_or_else(String::new, |number| format!("/{number}"));
    let with_tls = if target.tls { " with TLS" } else { "" };
    match &target.kind {
        Kind::Server(address) => format!("{address}{database}{with_tls}"),
        Kind::Sentinel { sentinels, service, .. } => {
            format!("{service}{database}, named by the sentinels {}{with_tls}", all(sentinels))
        }
        Kind::Cluster(seeds) => format!("cluster of {}{with_tls}", all(seeds)),
    }
}

/// The URL as it may be shown: without a password, or not at all.
pub(crate) fn shown(text: &str) -> String {
    const OPEN: [&str; 3] = ["node", "service", "sentinelServiceName"];
    let Ok(mut url) = Url::parse(text) else {
        // Where the parts cannot be told, any of it may be the secret.
        return "(not a URL)".into();
    };
    if !url.has_host() {
        return "(not a URL)".into();
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "(hidden)".into();
    }
    if url.query().is_some() {
        let parts: Vec<_> = url.query_pairs().into_owned().collect();
        let mut query = url.query_pairs_mut();
        query.clear();
        for (name, value) in &parts {
            let is_open = OPEN.contains(&name.as_str());
            query.append_pair(if is_open { name } else { "…" }, if is_open { value } else { "***" });
        }
        drop(query);
    }
    url.set_fragment(None);
    url.into()
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;

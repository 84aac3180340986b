//! The primary that sentinels name, and that says itself that it is one.

use std::sync::Arc;

use fred::{clients::Client, types::Value};
use tokio::time::{sleep, timeout};

use crate::{
    address::Address,
    dialer::Dialer,
    node::Node,
    question::{Askers, Complaint, PATIENCE, ask},
    topology::Topology,
    watcher::Found,
};

/// Of so many looks, one also asks for more sentinels.
const LEARNS_EVERY: u32 = 20;

/// Asks sentinels who the primary of a service is.
#[derive(Debug)]
pub(crate) struct SentinelWatch {
    sentinels: Askers,
    service: String,
    /// Who has answered last, and is asked first.
    first: usize,
    looks: u32,
    /// A server that was named and has not yet said what it is.
    candidate: Option<Arc<Node>>,
    complaint: Complaint,
}

impl SentinelWatch {
    pub(crate) fn new(dialer: Dialer, sentinels: Vec<Address>, service: String) -> Self {
        let mut askers = Askers::new(dialer);
        for address in sentinels {
            askers.add(address);
        }
        Self {
            sentinels: askers,
            service,
            first: 0,
            looks: 0,
            candidate: None,
            complaint: Complaint::default(),
        }
    }

    /// The first sentinel that answers is believed; where calls have met with trouble, so is any other that names another server.
    pub(crate) async fn look(&mut self, topology: &Topology, in_trouble: bool) -> Found {
        let current = topology.serving().0.pop().map(|node| node.address.clone());
        let mut found = Found::Nothing;
        for step in 0..self.sentinels.len() {
            let index = (self.first + step) % self.sentinels.len();
            let Some((asked, client)) = self.sentinels.get(index) else { continue };
            let (asked, client) = (asked.clone(), client.clone());
            let Some(named) = self.primary_by(&client, &asked).await else { continue };
            self.learn(&client, &asked).await;
            if Some(&named) == current.as_ref() {
                self.candidate = None;
                if !in_trouble {
                    self.first = index;
                    return Found::Same;
                }
                found = Found::Same;
            } else if let Some(node) = self.proven(topology, &named).await {
                self.first = index;
                tracing::info!(service = %self.service, primary = %named, sentinel = %asked, "going over to the primary");
                topology.serve_all(&node);
                return Found::Changed;
            }
        }
        found
    }

    async fn primary_by(&mut self, client: &Client, asked: &Address) -> Option<Address> {
        let words = ["GET-MASTER-ADDR-BY-NAME", &self.service];
        let place = match ask(client, "SENTINEL", &words).await {
            Ok(place) => place,
            Err(error) => {
                self.complaint.tell(asked, &error.to_string());
                return None;
            }
        };
        let named = match &place {
            Value::Array(place) => address_of(place, &asked.host),
            _ => None,
        };
        match &named {
            Some(_) => self.complaint.settle(),
            None if place.is_null() => self.complaint.tell(asked, "the sentinel does not know the service"),
            None => self.complaint.tell(asked, "an answer of another shape"),
        }
        named
    }

    /// The server of this address once it has said that it is a primary: a sentinel may be behind the others.
    async fn proven(&mut self, topology: &Topology, address: &Address) -> Option<Arc<Node>> {
        let known = self.candidate.take().filter(|node| node.address == *address);
        let node = known.unwrap_or_else(|| topology.maker.node(address));
        self.candidate = Some(Arc::clone(&node));
        let connected = async {
            loop {
                if let Some(link) = node.pick(None) {
                    return &link.client;
                }
                sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        let client = timeout(PATIENCE, connected).await.ok()?;
        let role = ask(client, "ROLE", &[]).await.ok()?;
        let is_primary = match role {
            Value::Array(parts) => {
                parts.first().is_some_and(|role| role.as_str().as_deref() == Some("master"))
            }
            _ => false,
        };
        is_primary.then(|| self.candidate.take()).flatten()
    }

    /// Who else watches the service, so that it is enough to know one sentinel.
    async fn learn(&mut self, client: &Client, asked: &Address) {
        let is_due = self.looks.is_multiple_of(LEARNS_EVERY);
        self.looks = self.looks.wrapping_add(1);
        if !is_due {
            return;
        }
        let Ok(Value::Array(others)) = ask(client, "SENTINEL", &["SENTINELS", &self.service]).await else {
            return;
        };
        for other in others.into_iter().filter_map(|other| place_of(other, &asked.host)) {
            self.sentinels.add(other);
        }
    }

    /// Ends all connections to sentinels.
    pub(crate) async fn close(&mut self) {
        self.candidate = None;
        self.sentinels.close().await;
    }
}

/// Host and port.
fn address_of(place: &[Value], asked: &str) -> Option<Address> {
    let [host, port] = place else { return None };
    Address::announced(&host.as_string()?, port.as_string()?.parse().ok()?, asked)
}

/// Where a sentinel is, by what another says of it: names and values, one after the other.
fn place_of(described: Value, asked: &str) -> Option<Address> {
    let Value::Array(fields) = described else { return None };
    let field = |name: &str| {
        let (pairs, _) = fields.as_chunks::<2>();
        let [_, value] = pairs.iter().find(|[field, _]| field.as_str().as_deref() == Some(name))?;
        value.as_string()
    };
    Address::announced(&field("ip")?, field("port")?.parse().ok()?, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_another_sentinel_is() {
        let described = |words: &[&str]| Value::Array(words.iter().map(|word| Value::from(*word)).collect());
        let whole = described(&["name", "abc", "ip", "10.0.0.2", "port", "26380", "runid", "x"]);
        assert_eq!(place_of(whole, "h"), Some(Address { host: "10.0.0.2".into(), port: 26380 }));
        for other in [described(&["ip", "10.0.0.2"]), described(&["port", "1", "ip"]), Value::Null] {
            assert_eq!(place_of(other, "h"), None);
        }
    }
}

//! Who serves which slots, as the servers of a cluster tell.

use fred::{clients::Client, types::Value};
use futures_util::future::{join, join_all};
use tokio::time::{sleep, timeout};

use crate::{
    address::Address,
    dialer::Dialer,
    question::{Askers, Complaint, PATIENCE, ask},
    topology::Topology,
    watcher::Found,
};

/// How many servers are asked at once: one may hang, or be cut off from the others and not know it yet.
const ABREAST: usize = 3;

/// Asks servers of a cluster how it is divided.
#[derive(Debug)]
pub(crate) struct ClusterWatch {
    seeds: Vec<Address>,
    /// All servers that the last view named, replicas, too.
    known: Vec<Address>,
    /// For when no server that has slots answers.
    askers: Askers,
    turn: usize,
    complaint: Complaint,
}

/// What one server says of the cluster.
#[derive(Debug, Default, PartialEq, Eq)]
struct View {
    /// Whether it sees most of the others.
    is_whole: bool,
    /// The number of the last change that it has heard of.
    epoch: u64,
    /// First and last slot, and who serves them.
    owners: Vec<(u16, u16, Address)>,
    replicas: Vec<Address>,
}

impl ClusterWatch {
    pub(crate) fn new(dialer: Dialer, seeds: Vec<Address>) -> Self {
        Self {
            seeds,
            known: Vec::new(),
            askers: Askers::new(dialer),
            turn: 0,
            complaint: Complaint::default(),
        }
    }

    /// Asks a few servers, and believes the one that has heard most.
    pub(crate) async fn look(&mut self, topology: &Topology) -> Found {
        let best = match self.ask_serving(topology).await {
            Some(view) => {
                self.askers.close().await;
                view
            }
            None => match self.ask_others().await {
                Some(view) => view,
                None => return Found::Nothing,
            },
        };
        self.complaint.settle();
        self.known = best.owners.iter().map(|(.., owner)| owner).chain(&best.replicas).cloned().collect();
        self.known.sort();
        self.known.dedup();
        let owner = |slot| {
            let found = best.owners.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
            found.map(|(.., owner)| owner.clone())
        };
        if topology.divide(owner) {
            let servers: Vec<_> = topology.serving().0.iter().map(|node| node.address.to_string()).collect();
            tracing::info!(
                epoch = best.epoch,
                servers = servers.join(" "),
                "the cluster is divided otherwise"
            );
            return Found::Changed;
        }
        Found::Same
    }

    async fn ask_serving(&mut self, topology: &Topology) -> Option<View> {
        self.turn = self.turn.wrapping_add(1);
        let (nodes, _) = topology.serving();
        let in_turn = (0..nodes.len()).map(|step| &nodes[(self.turn + step) % nodes.len()]);
        best(in_turn.filter_map(|node| Some((&node.address, &node.pick(None)?.client))), &mut self.complaint)
            .await
    }

    async fn ask_others(&mut self) -> Option<View> {
        for address in self.known.iter().chain(&self.seeds) {
            self.askers.add(address.clone());
        }
        let connected = async {
            while self.askers.connected().next().is_none() {
                sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        timeout(PATIENCE, connected).await.ok()?;
        best(self.askers.connected(), &mut self.complaint).await
    }

    /// Ends the connections that are not calls'.
    pub(crate) async fn close(&mut self) {
        self.askers.close().await;
    }
}

/// The view of whoever sees most of the cluster, and of those whoever has heard of the last change.
async fn best(servers: impl Iterator<Item = (&Address, &Client)>, complaint: &mut Complaint) -> Option<View> {
    let views = servers.take(ABREAST).map(async |(address, client)| (address, view(address, client).await));
    let mut best: Option<View> = None;
    for (address, view) in join_all(views).await {
        match view {
            // Who knows of nobody with slots has been taken out of its cluster.
            Ok(view) if view.owners.is_empty() => complaint.tell(address, "no server has any slots"),
            Ok(view) => {
                let rank = |view: &View| (view.is_whole, view.epoch);
                if best.as_ref().is_none_or(|best| rank(best) < rank(&view)) {
                    best = Some(view);
                }
            }
            Err(error) => complaint.tell(address, &error),
        }
    }
    best
}

async fn view(asked: &Address, client: &Client) -> Result<View, String> {
    let (info, slots) = join(ask(client, "CLUSTER", &["INFO"]), ask(client, "CLUSTER", &["SLOTS"])).await;
    let (info, slots) = (info.map_err(|error| error.to_string())?, slots.map_err(|error| error.to_string())?);
    let view = read(&info.as_string().unwrap_or_default(), slots, &asked.host);
    view.ok_or_else(|| "an answer of another shape".to_owned())
}

fn read(info: &str, slots: Value, asked: &str) -> Option<View> {
    let said = |name: &str| {
        let lines = info.lines().filter_map(|line| line.trim().split_once(':'));
        lines.filter(|(field, _)| *field == name).map(|(_, value)| value).next()
    };
    let epoch = said("cluster_current_epoch").and_then(|epoch| epoch.parse().ok()).unwrap_or(0);
    let mut view = View { is_whole: said("cluster_state") == Some("ok"), epoch, ..View::default() };
    let Value::Array(ranges) = slots else { return None };
    for range in ranges {
        let Value::Array(parts) = range else { return None };
        let [first, last, owner, replicas @ ..] = &parts[..] else { return None };
        let slot = |value: &Value| value.as_u64().and_then(|slot| u16::try_from(slot).ok());
        // A server whose address is not known yet serves nobody.
        if let Some(owner) = place_of(owner, asked) {
            view.owners.push((slot(first)?, slot(last)?, owner));
        }
        view.replicas.extend(replicas.iter().filter_map(|replica| place_of(replica, asked)));
    }
    Some(view)
}

fn place_of(server: &Value, asked: &str) -> Option<Address> {
    let Value::Array(parts) = server else { return None };
    let [host, port, ..] = &parts[..] else { return None };
    let host = if host.is_null() { String::new() } else { host.as_string()? };
    Address::announced(&host, u16::try_from(port.as_u64()?).ok()?, asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(values: impl IntoIterator<Item = Value>) -> Value {
        Value::Array(values.into_iter().collect())
    }

    fn server(host: Value, port: i64) -> Value {
        array([host, port.into(), "id".into(), array([])])
    }

    #[test]
    fn reads_who_serves_which_slots() {
        let slots = array([
            array([0.into(), 99.into(), server("10.0.0.1".into(), 7000), server("10.0.0.2".into(), 7001)]),
            array([100.into(), 100.into(), server(Value::Null, 7002)]),
            array([101.into(), 16_383.into(), server("?".into(), 7003)]),
        ]);
        let address = |host: &str, port| Address { host: host.into(), port };
        let info = "cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_current_epoch:12\r\n";
        let view = read(info, slots.clone(), "asked").unwrap();
        let owners = vec![(0, 99, address("10.0.0.1", 7000)), (100, 100, address("asked", 7002))];
        let replicas = vec![address("10.0.0.2", 7001)];
        assert_eq!(view, View { is_whole: true, epoch: 12, owners, replicas });
        let other = read("cluster_state:fail\r\n", slots, "asked").unwrap();
        assert_eq!((other.is_whole, other.epoch), (false, 0));
        for odd in [Value::Null, array([Value::Null]), array([array([0.into(), 1.into()])])] {
            assert_eq!(read(info, odd, "asked"), None);
        }
    }
}

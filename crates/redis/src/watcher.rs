//! Keeps the table of a deployment's servers right: looks now and then, and at once where a call has met with something else.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{cluster::ClusterWatch, sentinel::SentinelWatch, target::Kind, topology::Topology};

/// What a look has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nobody has said anything.
    Nothing,
    Same,
    Changed,
}

/// Who is asked.
#[derive(Debug)]
pub(crate) enum Watch {
    Sentinel(SentinelWatch),
    Cluster(ClusterWatch),
}

/// The pause after a look that has shown nothing, and after one upon a hint; each is twice as long as the one before it, up to
/// a longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE_IN_TROUBLE: Duration = Duration::from_millis(160);

/// Has one server serve all, or a task find out who does.
pub(crate) fn watch(topology: &Arc<Topology>, kind: Kind) {
    let dialer = topology.maker.dialer.clone();
    let watch = match kind {
        Kind::Server(address) => {
            topology.serve_all(&topology.maker.node(&address));
            return;
        }
        Kind::Sentinel { sentinels, service, user } => {
            Watch::Sentinel(SentinelWatch::new(dialer.of_sentinels(&user), sentinels, service))
        }
        Kind::Cluster(seeds) => Watch::Cluster(ClusterWatch::new(dialer, seeds)),
    };
    topology.watched_by(tokio::spawn(watch.run(Arc::clone(topology))));
}

impl Watch {
    /// Looks again and again until the topology ends.
    pub(crate) async fn run(mut self, topology: Arc<Topology>) {
        let ended = topology.end().clone();
        tokio::select! {
            () = ended.cancelled() => {}
            () = self.look_on(&topology) => {}
        }
        self.close().await;
    }

    async fn look_on(&mut self, topology: &Topology) {
        let (mut after_nothing, mut after_hint) = (FIRST_PAUSE, FIRST_PAUSE);
        let mut in_trouble = false;
        loop {
            let found = match self {
                Self::Sentinel(watch) => watch.look(topology, in_trouble).await,
                Self::Cluster(watch) => watch.look(topology).await,
            };
            if found == Found::Nothing {
                sleep(after_nothing).await;
                after_nothing = (after_nothing * 2).min(LONGEST_PAUSE);
                in_trouble = false;
                continue;
            }
            after_nothing = FIRST_PAUSE;
            if found == Found::Changed {
                after_hint = FIRST_PAUSE;
            }
            tokio::select! {
                () = sleep(self.period()) => {
                    (in_trouble, after_hint) = (false, FIRST_PAUSE);
                }
                () = topology.hinted() => {
                    in_trouble = true;
                    sleep(after_hint).await;
                    after_hint = (after_hint * 2).min(LONGEST_PAUSE_IN_TROUBLE);
                }
            }
        }
    }

    fn period(&self) -> Duration {
        match self {
            Self::Sentinel(_) => Duration::from_millis(250),
            Self::Cluster(_) => Duration::from_secs(1),
        }
    }

    async fn close(&mut self) {
        match self {
            Self::Sentinel(watch) => watch.close().await,
            Self::Cluster(watch) => watch.close().await,
        }
    }
}

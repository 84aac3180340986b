//! What a [`Gate`](tollbar_core::ports::Gate) promises of limits on what is no user, of paths, and of policies that are exchanged.

use std::net::IpAddr;

use tollbar_core::{
    domain::{Caller, Fingerprint, Subject},
    ports::Admission,
};

use crate::{
    GateHarness,
    gate::{admitted, login},
    rate_limiter::{policy, secs},
};

fn client() -> Subject {
    Subject::address("192.0.2.1".parse::<IpAddr>().unwrap())
}

suite! {
    ($) gate_others_suite, gate_others, GateHarness;

    /// A limit on an address holds over gates, counts nobody, and tells the exact wait.
    async fn an_address_is_limited_and_counts_nobody(harness) {
        let (gates, two) = ([harness.gate(), harness.gate()], policy("two", &[(2, secs(10))]));
        for gate in &gates {
            assert!(gate.limit(client(), &two).await.unwrap().allowed());
        }
        for pass in [0, 3, 3] {
            harness.pass(secs(pass));
            for gate in &gates {
                let denied = gate.limit(client(), &two).await.unwrap();
                assert!(!denied.allowed() && denied.at == harness.clock().now());
            }
        }
        assert_eq!(gates[0].limit(client(), &two).await.unwrap().retry_after(), secs(4));
        harness.pass(secs(4));
        assert!(gates[1].limit(client(), &two).await.unwrap().allowed());
        assert_eq!(harness.call_tracker().distinct(two.api()).await.unwrap(), 0);
    }

    /// A denial on one path says nothing of another, nor of the policy itself.
    async fn a_denial_on_one_path_is_none_on_another(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let (token, one) = (login(&harness, user).await, policy("one", &[(1, secs(10))]));
        for policy in ["/a", "/b"].map(|path| one.at_path(Fingerprint::of_path(path))).into_iter().chain([one.clone()]) {
            assert!(admitted(&gate, &token, &policy).await);
            assert!(!admitted(&gate, &token, &policy).await);
            assert!(!admitted(&gate, &token, &policy).await);
        }
        assert_eq!(harness.call_tracker().top(one.api(), 10).await.unwrap(), [Caller { user, calls: 3 }]);
    }

    /// An admission names the session; one without a limit is counted all the same.
    async fn an_admission_names_the_session(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let none = policy("none", &[(1, secs(10))]).without_windows();
        let old = login(&harness, user).await;
        let mut sessions = Vec::new();
        for _ in 0..2 {
            let token = login(&harness, user).await;
            match gate.admit(&token, &none).await.unwrap() {
                Admission::Admitted { user: admitted, session, decision } => {
                    assert_eq!((admitted, decision.windows.len()), (user, 0));
                    sessions.push(session);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(sessions[0] < sessions[1]);
        assert_eq!(gate.admit(&old, &none).await.unwrap(), Admission::Unauthenticated);
        assert_eq!(harness.call_tracker().top(none.api(), 10).await.unwrap(), [Caller { user, calls: 2 }]);
    }

    /// A changed policy acts at once on whom the former denied and on whom it admitted, told of or not.
    async fn exchanged_policies_act_at_once(harness) {
        let (user, gate) = (harness.user("ada").await, harness.gate());
        let token = login(&harness, user).await;
        let of = |quota| policy("changing", &[(quota, secs(60))]);
        for tells in [false, true] {
            assert!(admitted(&gate, &token, &of(1)).await);
            assert!(!admitted(&gate, &token, &of(1)).await);
            if tells {
                gate.policies_changed();
            }
            assert!(admitted(&gate, &token, &of(3)).await, "raised");
            assert!(!admitted(&gate, &token, &of(2)).await, "lowered");
            gate.policies_changed();
            assert!(admitted(&gate, &token, &of(3)).await);
            assert!(!admitted(&gate, &token, &of(3)).await);
            harness.pass(secs(60));
        }
    }
}

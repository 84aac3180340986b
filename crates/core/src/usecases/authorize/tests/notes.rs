//! What is noted of those whom a request turns away, and of those it lets through without a user.

use super::*;
use crate::domain::{Caller, Outcomes};

/// What was noted under the policy's API, and who was limited.
async fn noted(authorize: &Authorize) -> (Outcomes, Vec<Caller>) {
    let Some(epoch) = authorize.book.close() else { return Default::default() };
    let mut activity = epoch.settled().await.activity;
    assert_eq!(activity.len(), 1);
    let told = activity.remove(0);
    assert_eq!(told.api.as_str(), "shop");
    (told.minutes[0].1, told.limited)
}

fn limited(policy: &Policy, repeated: bool) -> Decision {
    Decision { repeated, ..decision(policy, 4) }
}

#[tokio::test]
async fn who_is_limited_is_noted_with_the_user_and_who_is_refused_without() {
    let authorize = authorize(options(), |gate, _| {
        let mut repeated = [false, true, true].into_iter();
        gate.expect_admit().times(3).returning(move |_, policy| {
            let decision = limited(policy, repeated.next().unwrap());
            Ok(Admission::Limited { user: user(), decision })
        });
        gate.expect_admit().once().returning(|_, _| Ok(Admission::Unauthenticated));
        gate.expect_admit().once().returning(|_, policy| Ok(admitted(policy)));
        gate.expect_admit().returning(|_, _| Err(StoreError::overloaded("test")));
    });
    for _ in 0..5 {
        ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
    }
    assert!(ask(&authorize, "GET", "/orders/7", token()).await.is_err());
    for credential in [Credential::None, Credential::Malformed, Credential::CrossSite] {
        ask(&authorize, "GET", "/orders/7", credential).await.unwrap();
    }
    ask(&authorize, "GET", "/other", token()).await.unwrap();
    // The gate has counted the one that it admitted.
    let outcomes = Outcomes { admitted: 0, limited: 3, repeated: 2, refused: 4 };
    assert_eq!(noted(&authorize).await, (outcomes, vec![Caller { user: user(), calls: 3 }]));
}

#[tokio::test]
async fn without_a_session_calls_are_noted_here() {
    let open = RuleOptions { whom: Whom::Address, session: false, ..options() };
    let authorize = authorize(open, |gate, _| {
        let mut waits = [0, 4].into_iter();
        gate.expect_limit().times(2).returning(move |_, policy| Ok(decision(policy, waits.next().unwrap())));
    });
    for _ in 0..2 {
        ask(&authorize, "GET", "/orders/7", Credential::None).await.unwrap();
    }
    let outcomes = Outcomes { admitted: 1, limited: 1, ..Outcomes::default() };
    assert_eq!(noted(&authorize).await, (outcomes, vec![]));
}

#[tokio::test]
async fn whom_a_shadow_would_have_denied_is_not_noted_as_limited() {
    let authorize = authorize(RuleOptions { mode: Mode::Shadow, ..options() }, |gate, _| {
        gate.expect_admit()
            .once()
            .returning(|_, policy| Ok(Admission::Limited { user: user(), decision: limited(policy, false) }));
        gate.expect_admit().once().returning(|_, policy| Ok(admitted(policy)));
    });
    ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
    assert_eq!(noted(&authorize).await, Default::default());
}

//! Which gate is asked for what, and what becomes of its answer.

mod notes;
use std::time::Duration;

use mockall::Sequence;

use super::*;
use crate::{
    counts::BookOptions,
    domain::{PolicyName, Quota, Timestamp, UserId, Version, Window, WindowState},
    policies::{PathPattern, RuleOptions, Unmatched},
    ports::{ManualClock, MockGate, MockStandby},
};

fn policy() -> Policy {
    let window = Window::new(Quota::new(3).unwrap(), Duration::from_secs(5)).unwrap();
    let (name, api) = (PolicyName::new("orders").unwrap(), ApiName::new("shop").unwrap());
    Policy::new(name, api, vec![window]).unwrap()
}

fn options() -> RuleOptions {
    RuleOptions::new(policy(), PathPattern::new("/orders/{id}").unwrap())
}

fn user() -> UserId {
    UserId::new(7).unwrap()
}

fn decision(policy: &Policy, wait: u64) -> Decision {
    let state = |window: &Window| WindowState {
        window: *window,
        remaining: 0,
        reset_after: Duration::from_secs(5),
        retry_after: Duration::from_secs(wait),
    };
    let windows = policy.windows().iter().map(state).collect();
    Decision { at: Timestamp::default(), windows, repeated: false }
}

fn admitted(policy: &Policy) -> Admission {
    Admission::Admitted { user: user(), session: Version::new(2), decision: decision(policy, 0) }
}

fn down() -> StoreError {
    StoreError::transient("test", "down")
}

/// Over this rule, with mocks that must not be asked but for what `program` makes them expect: usual, open, local.
fn authorize(options: RuleOptions, program: impl FnOnce(&mut MockGate, &mut [MockStandby; 2])) -> Authorize {
    let (mut gate, mut standbys) = (MockGate::new(), [MockStandby::new(), MockStandby::new()]);
    program(&mut gate, &mut standbys);
    let [open, local] = standbys.map(|standby| Arc::new(standby) as Arc<dyn Standby>);
    let table = PolicyTable::new(vec![Rule::new(options).unwrap()], Unmatched::Deny).unwrap();
    let author = Incarnation::from_bytes([1; 16]);
    let book = CallBook::new(author, Arc::new(ManualClock::new()), BookOptions::default());
    Authorize::new(Policies::new(table), Arc::new(gate), open, Some(local), Arc::new(book))
}

fn token() -> Credential {
    Credential::Token(Zeroizing::new("tbs_t".to_owned()))
}

async fn ask(of: &Authorize, method: &str, path: &str, by: Credential) -> Result<Verdict, StoreError> {
    let key = |name: &str| name.eq_ignore_ascii_case("x-api-key").then(|| b"k1".to_vec());
    let facts = RequestFacts {
        method,
        host: &|| None,
        target: path.as_bytes(),
        address: &|| Some("192.0.2.1".parse().unwrap()),
        header: &key,
        credential: by,
    };
    of.decide(&of.question(facts)).await
}

const IDENTITY: fn() -> Option<Identity> = || Some(Identity { user: user(), session: Version::new(2) });

fn refused(fate: Fate) -> Verdict {
    Verdict { fate, limits: None }
}

#[tokio::test]
async fn a_user_is_limited_in_one_question() {
    let authorize = authorize(options(), |gate, _| {
        gate.expect_admit()
            .once()
            .withf(|token, asked| token == "tbs_t" && *asked == policy())
            .returning(|_, policy| Ok(admitted(policy)));
        let limited = |policy: &Policy| Admission::Limited { user: user(), decision: decision(policy, 4) };
        gate.expect_admit().once().returning(move |_, policy| Ok(limited(policy)));
        gate.expect_admit().once().returning(|_, _| Ok(Admission::Unauthenticated));
    });
    let limits = |wait| Limits { policy: policy(), decision: decision(&policy(), wait) };
    let verdict = ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
    assert_eq!(verdict, Verdict { fate: Fate::Admitted(IDENTITY()), limits: Some(limits(0)) });
    let verdict = ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
    assert_eq!(verdict, refused(Fate::Limited(limits(4))));
    assert_eq!(ask(&authorize, "GET", "/orders/7", token()).await.unwrap(), refused(Fate::InvalidCredential));
}

#[tokio::test]
async fn without_a_token_and_without_a_policy_no_gate_is_asked() {
    let authorize = authorize(options(), |_, _| {});
    for (credential, expected) in [
        (Credential::None, refused(Fate::NoCredential)),
        (Credential::Malformed, refused(Fate::InvalidCredential)),
        (Credential::CrossSite, refused(Fate::CrossSite)),
    ] {
        assert_eq!(ask(&authorize, "GET", "/orders/7", credential).await.unwrap(), expected);
    }
    assert_eq!(ask(&authorize, "GET", "/other", token()).await.unwrap(), refused(Fate::Unmatched));
}

#[tokio::test]
async fn each_path_has_a_state_of_its_own_where_it_is_chosen() {
    let authorize = authorize(RuleOptions { whom: Whom::UserAndPath, ..options() }, |gate, _| {
        let path = Fingerprint::of_path("/orders/7");
        gate.expect_admit()
            .times(2)
            .withf(move |_, asked| *asked == policy().at_path(path))
            .returning(|_, policy| Ok(admitted(policy)));
    });
    for path in ["/orders/7", "/orders//%37/?x=1"] {
        let verdict = ask(&authorize, "GET", path, token()).await.unwrap();
        assert!(matches!(verdict.fate, Fate::Admitted(_)));
    }
}

#[tokio::test]
async fn other_subjects_are_decided_first_and_then_the_session_without_a_limit() {
    for (whom, subject) in [
        (Whom::Address, Subject::address("192.0.2.1".parse().unwrap())),
        (Whom::Header("X-Api-Key".into()), Subject::header("x-api-key", Some(b"k1"))),
        (Whom::Header("X-Other".into()), Subject::header("x-other", None)),
    ] {
        let mut order = Sequence::new();
        let authorize = authorize(RuleOptions { whom, ..options() }, |gate, _| {
            gate.expect_limit()
                .once()
                .in_sequence(&mut order)
                .withf(move |asked, by| *asked == subject && *by == policy())
                .returning(|_, policy| Ok(decision(policy, 0)));
            gate.expect_admit()
                .once()
                .in_sequence(&mut order)
                .withf(|_, by| *by == policy().without_windows())
                .returning(|_, policy| Ok(admitted(policy)));
            gate.expect_limit().times(2).returning(|_, policy| Ok(decision(policy, 3)));
        });
        let limits = |wait| Limits { policy: policy(), decision: decision(&policy(), wait) };
        let verdict = ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
        assert_eq!(verdict, Verdict { fate: Fate::Admitted(IDENTITY()), limits: Some(limits(0)) });
        for credential in [token(), Credential::None] {
            let verdict = ask(&authorize, "GET", "/orders/7", credential).await.unwrap();
            assert_eq!(verdict, refused(Fate::Limited(limits(3))));
        }
    }
}

#[tokio::test]
async fn without_a_session_nobody_is_authenticated() {
    let whom = RuleOptions { whom: Whom::Address, session: false, ..options() };
    let authorize = authorize(whom, |gate, _| {
        gate.expect_limit().once().returning(|_, policy| Ok(decision(policy, 0)));
    });
    let verdict = ask(&authorize, "GET", "/orders/7", Credential::Malformed).await.unwrap();
    assert!(matches!(verdict, Verdict { fate: Fate::Admitted(None), limits: Some(_) }));
}

#[tokio::test]
async fn the_method_chooses_the_cost() {
    let costs = vec![("POST".to_owned(), 3)];
    let authorize = authorize(RuleOptions { costs, ..options() }, |gate, _| {
        for cost in [3, 1] {
            let asked = gate.expect_admit().once().withf(move |_, by| by.cost() == cost);
            asked.returning(|_, policy| Ok(admitted(policy)));
        }
    });
    for method in ["POST", "GET"] {
        ask(&authorize, method, "/orders/7", token()).await.unwrap();
    }
}

#[tokio::test]
async fn a_shadow_denies_nobody_and_counts_everybody() {
    for whom in [Whom::User, Whom::Address] {
        let shadow = RuleOptions { mode: Mode::Shadow, whom, ..options() };
        let authorize = authorize(shadow, |gate, _| {
            gate.expect_limit().returning(|_, policy| Ok(decision(policy, 3)));
            gate.expect_admit()
                .withf(|_, by| by.windows().is_empty())
                .once()
                .returning(|_, policy| Ok(admitted(policy)));
            gate.expect_admit().returning(|_, policy| {
                Ok(Admission::Limited { user: user(), decision: decision(policy, 3) })
            });
        });
        let verdict = ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
        assert_eq!(verdict, Verdict { fate: Fate::Admitted(IDENTITY()), limits: None });
    }
}

#[tokio::test]
async fn while_the_live_tier_is_away_each_policy_does_what_it_says() {
    for (on_outage, asked) in
        [(OnOutage::Closed, None), (OnOutage::Open, Some(0)), (OnOutage::Local, Some(1))]
    {
        let by = |whom| RuleOptions { whom, on_outage, ..options() };
        let first = Incarnation::from_bytes([1; 16]);
        let authorize_user = authorize(by(Whom::User), |gate, standbys| {
            gate.expect_admit().once().returning(move |_, _| Err(down().perhaps_noted(first)));
            if let Some(at) = asked {
                let standby =
                    standbys[at].expect_admit().once().withf(move |_, _, noted| *noted == Some(first));
                standby.returning(|_, policy, _| Ok(admitted(policy)));
            }
        });
        let verdict = ask(&authorize_user, "GET", "/orders/7", token()).await;
        assert_eq!(verdict.is_ok(), asked.is_some());
        let authorize_address = authorize(by(Whom::Address), |gate, standbys| {
            gate.expect_limit().once().returning(|_, _| Err(down()));
            gate.expect_admit().returning(|_, _| Err(down()));
            if let Some(at) = asked {
                standbys[at].expect_limit().once().returning(|_, policy| Ok(decision(policy, 0)));
                standbys[at].expect_admit().once().returning(|_, policy, _| Ok(admitted(policy)));
            }
        });
        let verdict = ask(&authorize_address, "GET", "/orders/7", token()).await;
        assert_eq!(verdict.is_ok(), asked.is_some());
    }
}

#[tokio::test]
async fn neither_a_mistake_of_the_live_tier_nor_a_flood_opens_anything() {
    for on_outage in [OnOutage::Open, OnOutage::Local] {
        let authorize = authorize(RuleOptions { on_outage, ..options() }, |gate, _| {
            gate.expect_admit().once().returning(|_, _| Err(StoreError::permanent("test", "damaged")));
            gate.expect_admit().once().returning(|_, _| Err(StoreError::overloaded("test")));
        });
        for _ in 0..2 {
            assert!(ask(&authorize, "GET", "/orders/7", token()).await.is_err());
        }
    }
}

#[tokio::test]
async fn a_shadow_denies_nobody_while_the_live_tier_is_away_or_flooded() {
    for error in [down, || StoreError::overloaded("test")] {
        let shadow = RuleOptions { mode: Mode::Shadow, ..options() };
        let authorize = authorize(shadow, |gate, [open, _]| {
            gate.expect_admit().once().returning(move |_, _| Err(error()));
            open.expect_admit().once().returning(|_, policy, _| Ok(admitted(policy)));
        });
        let verdict = ask(&authorize, "GET", "/orders/7", token()).await.unwrap();
        assert_eq!(verdict, Verdict { fate: Fate::Admitted(IDENTITY()), limits: None });
    }
}

#[tokio::test]
async fn a_path_of_two_meanings_goes_by_no_policy() {
    let authorize = authorize(RuleOptions { whom: Whom::Address, session: false, ..options() }, |_, _| {});
    for (method, path) in [("GET", "/orders/../orders/7"), ("GET", "//orders/7"), ("post", "/orders/7")] {
        let verdict = ask(&authorize, method, path, token()).await.unwrap();
        assert_eq!(verdict, refused(Fate::Ambiguous), "{method} {path}");
    }
}

#[tokio::test]
async fn who_was_charged_and_has_no_session_is_told_of_the_limit() {
    let authorize = authorize(RuleOptions { whom: Whom::Address, ..options() }, |gate, _| {
        gate.expect_limit().times(2).returning(|_, policy| Ok(decision(policy, 0)));
        gate.expect_admit().once().returning(|_, _| Ok(Admission::Unauthenticated));
    });
    let limits = Some(Limits { policy: policy(), decision: decision(&policy(), 0) });
    for (credential, fate) in [(Credential::None, Fate::NoCredential), (token(), Fate::InvalidCredential)] {
        let verdict = ask(&authorize, "GET", "/orders/7", credential).await.unwrap();
        assert_eq!(verdict, Verdict { fate, limits: limits.clone() });
    }
}

#[tokio::test]
async fn an_exchange_is_told_to_the_gate_and_leaves_questions_as_they_were_asked() {
    let authorize = authorize(options(), |gate, _| {
        gate.expect_policies_changed().once().return_const(());
        gate.expect_admit().once().returning(|_, policy| Ok(admitted(policy)));
    });
    let facts = RequestFacts {
        method: "GET",
        host: &|| None,
        target: b"/orders/7",
        address: &|| None,
        header: &|_| None,
        credential: token(),
    };
    let question = authorize.question(facts);
    authorize.exchange(PolicyTable::new(vec![], Unmatched::Deny).unwrap());
    assert!(matches!(authorize.decide(&question).await, Ok(Verdict { fate: Fate::Admitted(_), .. })));
    assert_eq!(ask(&authorize, "GET", "/orders/7", token()).await.unwrap(), refused(Fate::Unmatched));
}

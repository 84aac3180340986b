//! `/signup`, `/login` and `/logout`.

use std::{sync::Arc, time::Duration};

use actix_web::test::TestRequest;
use tollbar_core::{
    domain::{PasswordHash, Secret, SessionSet, TokenKey, UserId, Version},
    ports::{Closed, CreateUserError, Credentials, HashError},
};

use crate::support::{KEY, Ports, USER1, ask, broken, down, post};

fn hashing() -> Ports {
    let mut ports = Ports::new();
    ports.hasher.expect_hash().returning(|_| Ok(PasswordHash::new("hash")));
    ports
}

/// User 7 with the password `pass123`.
fn known() -> Ports {
    let mut ports = Ports::new();
    ports.users.expect_find().returning(|name| {
        let hash = PasswordHash::new("hash");
        let user = UserId::new(7).unwrap();
        Ok((name.as_str() == "user1").then_some(Credentials { user, hash }))
    });
    ports.hasher.expect_verify().returning(|password, _| Ok(password.expose() == "pass123"));
    ports.hasher.expect_verify_nobody().returning(|_| Ok(()));
    ports
}

#[actix_web::test]
async fn signup_creates_a_user() {
    let mut ports = hashing();
    ports.users.expect_create().once().returning(|name, hash| {
        assert_eq!((name.as_str(), hash.expose()), ("user1", "hash"));
        Ok(UserId::new(1).unwrap())
    });
    let answer = ask(ports.services(), post("/signup", USER1)).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "{}"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[actix_web::test]
async fn a_taken_name_is_a_400() {
    let mut ports = hashing();
    ports.users.expect_create().returning(|_, _| Err(CreateUserError::Taken));
    let answer = ask(ports.services(), post("/signup", USER1)).await;
    assert_eq!(answer.problem(400, "Bad Request"), "Username already exists!");
}

#[actix_web::test]
async fn only_signup_asks_for_a_length() {
    let short = r#"{"username":"user1","password":"pass12"}"#;
    let answer = ask(Ports::new().services(), post("/signup", short)).await;
    assert_eq!(answer.problem(400, "Bad Request"), "Password must have at least 7 characters!");
    ask(known().services(), post("/login", short)).await.problem(401, "Invalid credentials");
}

#[actix_web::test]
async fn login_opens_a_session() {
    let mut ports = known();
    ports.store.expect_open().returning(|user, session, _, _| {
        assert_eq!((user.get(), session.ttl), (7, Duration::from_secs(1800)));
        Ok(Some(SessionSet { version: Version::new(4), sessions: vec![] }))
    });
    let answer = ask(ports.services(), post("/login", USER1)).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")));
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 3);
    assert_eq!(body["message"], "Login successful");
    let token = TokenKey::from_bytes(KEY).recognise(body["sessionToken"].as_str().unwrap()).unwrap();
    assert_eq!((token.user().get(), token.version().get()), (7, 4));
    let expires_at = body["expiresAt"].as_str().unwrap();
    expires_at.parse::<jiff::Timestamp>().unwrap();
    assert!(expires_at.ends_with('Z'), "{expires_at}");
}

#[actix_web::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_bytes() {
    // But for the id, which each request has of its own.
    let login = |body| post("/login", body).insert_header(("x-request-id", "one"));
    let wrong = ask(known().services(), login(r#"{"username":"user1","password":"other"}"#)).await;
    let unknown = ask(known().services(), login(r#"{"username":"nobody","password":"pass123"}"#)).await;
    assert_eq!(wrong.problem(401, "Invalid credentials"), "Username or password was wrong!");
    assert_eq!(wrong.header("www-authenticate"), Some("Bearer realm=\"tollbar\""));
    assert_eq!(wrong.body, unknown.body);
    let names = |answer: &crate::support::Answer| {
        let headers = answer.headers.iter();
        headers.map(|(name, value)| (name.to_string(), value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(names(&wrong), names(&unknown));
}

#[actix_web::test]
async fn logout_ends_a_session_once() {
    for (was_live, status) in [(true, 204), (false, 401)] {
        let mut ports = Ports::new();
        ports
            .store
            .expect_close()
            .returning(move |_, _, _, _| Ok(Some(Closed { was_live, set: SessionSet::default() })));
        let key = TokenKey::from_bytes(KEY);
        let token = key.issue(UserId::new(7).unwrap(), Version::new(4), Secret::from_bytes([2; 32])).expose();
        let request =
            TestRequest::post().uri("/logout").insert_header(("authorization", format!("Bearer {token}")));
        let answer = ask(ports.services(), request).await;
        assert_eq!((answer.status.as_u16(), answer.body.is_empty()), (status, status == 204));
    }
}

#[actix_web::test]
async fn what_may_pass_is_503_and_what_will_not_is_500_without_its_cause() {
    let mut ports = hashing();
    ports.users.expect_create().returning(|_, _| Err(CreateUserError::Store(down())));
    let answer = ask(ports.services(), post("/signup", USER1)).await;
    answer.problem(503, "Service Unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.body.contains("10.0.0.1"));

    let mut ports = Ports::new();
    ports
        .hasher
        .expect_hash()
        .returning(|_| Err(HashError::Busy { retry_after: Duration::from_millis(1_001) }));
    let answer = ask(ports.services(), post("/signup", USER1)).await;
    answer.problem(503, "Service Unavailable");
    assert_eq!(answer.header("retry-after"), Some("2"));

    let mut ports = Ports::new();
    ports.hasher.expect_hash().returning(|_| Err(HashError::Failed(Arc::from(Box::from("no $2b$ here")))));
    let answer = ask(ports.services(), post("/signup", USER1)).await;
    answer.problem(500, "Internal Server Error");
    assert!(!answer.body.contains("$2b$") && answer.header("retry-after").is_none());

    let mut ports = Ports::new();
    ports.users.expect_find().returning(|_| Err(broken()));
    let answer = ask(ports.services(), post("/login", USER1)).await;
    answer.problem(500, "Internal Server Error");
    assert!(!answer.body.contains("column"));
}

//! The session cookie of logins and logouts.

use actix_web::test::TestRequest;
use tollbar_core::{
    domain::{PasswordHash, Secret, SessionSet, TokenKey, UserId, Version},
    ports::{Closed, Credentials},
};

use crate::support::{Answer, KEY, Ports, USER1, ask, post};

fn ports(cookies: bool) -> Ports {
    let mut ports = Ports::new();
    ports.options.cookies = cookies;
    ports.users.expect_find().returning(|_| {
        Ok(Some(Credentials { user: UserId::new(7).unwrap(), hash: PasswordHash::new("hash") }))
    });
    ports.hasher.expect_verify().returning(|_, _| Ok(true));
    let set = SessionSet { version: Version::new(1), sessions: vec![] };
    let opened = set.clone();
    ports.store.expect_open().returning(move |_, _, _, _| Ok(Some(opened.clone())));
    ports
        .store
        .expect_close()
        .returning(move |_, _, _, _| Ok(Some(Closed { set: set.clone(), was_live: true })));
    ports
}

fn token() -> String {
    let secret = Secret::from_bytes([9; 32]);
    TokenKey::from_bytes(KEY).issue(UserId::new(7).unwrap(), Version::new(1), secret).expose()
}

async fn logout(cookies: bool, headers: &[(&str, String)]) -> Answer {
    let mut request = TestRequest::post().uri("/logout");
    for (name, value) in headers {
        request = request.append_header((*name, value.clone()));
    }
    ask(ports(cookies).services(), request).await
}

#[actix_web::test]
async fn a_login_gives_the_cookie_where_cookies_are_turned_on() {
    let answer = ask(ports(true).services(), post("/login", USER1)).await;
    let token = answer.json()["sessionToken"].as_str().unwrap().to_owned();
    let cookie = format!("__Host-tollbar={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800");
    assert_eq!(answer.header("set-cookie"), Some(cookie.as_str()));
    let answer = ask(ports(false).services(), post("/login", USER1)).await;
    assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (200, None));
}

#[actix_web::test]
async fn a_logout_takes_it_back() {
    let cookie = ("cookie", format!("a=b; __Host-tollbar={}", token()));
    let same = ("sec-fetch-site", "same-origin".to_owned());
    let answer = logout(true, &[cookie.clone(), same.clone()]).await;
    assert_eq!(answer.status.as_u16(), 204);
    let ended = "__Host-tollbar=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";
    assert_eq!(answer.header("set-cookie"), Some(ended));
    logout(true, std::slice::from_ref(&cookie)).await.problem(403, "Forbidden");
    logout(true, &[cookie.clone(), ("origin", "https://evil".into())]).await.problem(403, "Forbidden");
    logout(false, &[cookie.clone(), same]).await.problem(401, "Unauthorized");
    let bearer = ("authorization", format!("Bearer {}", token()));
    assert_eq!(logout(true, &[cookie.clone(), bearer]).await.status.as_u16(), 204);
    let other = ("authorization", "Bearer other".to_owned());
    logout(true, &[cookie, other]).await.problem(401, "Unauthorized");
}

//! What a client may get wrong, and the exact answer to it. Nothing here reaches a port: every mock would panic.

use actix_web::{http::Method, test::TestRequest};

use crate::support::{Ports, USER1, ask, post};

#[actix_web::test]
async fn a_bad_body_is_refused_before_anything_is_asked() {
    let (name65, pass72) = ("a".repeat(65), "p".repeat(72));
    let account = |name: &str, password: &str| format!(r#"{{"username":"{name}","password":"{password}"}}"#);
    let too_large = account("user1", &"p".repeat(8 * 1024));
    let deep = format!(r#"{{"username":{}"#, "[".repeat(8_000));
    for (body, status, said) in [
        (String::new(), 400, "The body is empty!"),
        ("null".into(), 400, "The body must be a JSON object!"),
        (r#"["user1","hunter2"]"#.into(), 400, "The body must be a JSON object!"),
        (r#"{"username":"user1""#.into(), 400, "The body ends before the JSON does, at line 1, column 19!"),
        (r#"{"username":"user1"}"#.into(), 400, "The body lacks the member \"password\"!"),
        (r#"{"password":"hunter2"}"#.into(), 400, "The body lacks the member \"username\"!"),
        (
            r#"{"username":"a","password":"b","hunter2":1}"#.into(),
            400,
            "The body has an unknown member at line 1, column 40!",
        ),
        (
            r#"{"username":"a","password":"hunter2","password":"b"}"#.into(),
            400,
            "The body has the member \"password\" twice!",
        ),
        (
            r#"{"username":"a","password":1234567}"#.into(),
            400,
            "A member of the body has the wrong type at line 1, column 34!",
        ),
        (
            r#"{"username":"a","password":null}"#.into(),
            400,
            "A member of the body has the wrong type at line 1, column 31!",
        ),
        (deep, 400, "A member of the body has the wrong type at line 1, column 12!"),
        (account("", "hunter2"), 400, "Username must not be empty!"),
        (account(&name65, "hunter2"), 400, "Username must have at most 64 characters!"),
        (account("a b", "hunter2"), 400, "Username may hold only letters, digits and . _ - @ +!"),
        (account("user1", ""), 400, "Password must not be empty!"),
        (account("user1", &pass72), 400, "Password must have at most 71 bytes!"),
        (account("user1", "hunter2\\u0000"), 400, "Password must not contain a NUL character!"),
        (too_large, 413, "The body must have at most 8192 bytes!"),
    ] {
        let title = if status == 413 { "Payload Too Large" } else { "Bad Request" };
        for path in ["/signup", "/login"] {
            let answer = ask(Ports::new().services(), post(path, body.clone())).await;
            assert_eq!(answer.problem(status, title), said);
            assert!(!answer.body.contains("hunter2"));
        }
    }
}

#[actix_web::test]
async fn a_body_of_the_whole_limit_is_read() {
    let padded = |length: usize| format!("{}{}", "{}", " ".repeat(length - 2));
    let at = ask(Ports::new().services(), post("/login", padded(8 * 1024))).await;
    assert_eq!(at.problem(400, "Bad Request"), "The body lacks the member \"username\"!");
    ask(Ports::new().services(), post("/login", padded(8 * 1024 + 1)))
        .await
        .problem(413, "Payload Too Large");
    let announced = post("/login", "{}").insert_header(("content-length", "8193"));
    ask(Ports::new().services(), announced).await.problem(413, "Payload Too Large");
}

#[actix_web::test]
async fn a_body_that_is_not_said_to_be_json_is_415() {
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("")] {
        let mut request = TestRequest::post().uri("/signup").set_payload(USER1);
        if let Some(content_type) = content_type {
            request = request.insert_header(("content-type", content_type));
        }
        let answer = ask(Ports::new().services(), request).await;
        answer.problem(415, "Unsupported Media Type");
    }
}

#[actix_web::test]
async fn unknown_paths_are_404() {
    let long = format!("/{}?{}", "a".repeat(10_000), "q=%ff&".repeat(1_000));
    for path in
        ["/", "/nowhere", "/ping/", "//ping", "/Ping", "/signup/x", "/%00", "/%ff%fe", "/..%2fping", &long]
    {
        for method in [Method::GET, Method::POST, Method::from_bytes(b"BREW").unwrap()] {
            let answer = ask(Ports::new().services(), TestRequest::with_uri(path).method(method)).await;
            assert_eq!(answer.problem(404, "Not Found"), "There is nothing at this path!", "{path}");
        }
    }
}

#[actix_web::test]
async fn wrong_methods_are_405_with_allow() {
    for (path, allow, wrong) in [
        ("/signup", "POST", "GET"),
        ("/login", "POST", "PUT"),
        ("/logout", "POST", "GET"),
        ("/ping", "GET", "POST"),
        ("/ping?a=b", "GET", "HEAD"),
        ("/top", "GET, HEAD", "POST"),
        ("/count", "GET, HEAD", "OPTIONS"),
        ("/healthz", "GET, HEAD", "DELETE"),
        ("/readyz", "GET, HEAD", "BREW"),
    ] {
        let method = Method::from_bytes(wrong.as_bytes()).unwrap();
        let answer = ask(Ports::new().services(), TestRequest::with_uri(path).method(method)).await;
        assert_eq!(answer.problem(405, "Method Not Allowed"), "This path has other methods!");
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

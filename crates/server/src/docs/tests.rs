//! The page shows all of the description, and nothing of it leads anywhere else.

use std::collections::BTreeSet;

use actix_web::{
    App,
    http::header::HeaderMap,
    test::{TestRequest, call_service, init_service, read_body},
};

use super::*;

async fn get(uri: &str) -> (HeaderMap, String) {
    let app = init_service(App::new().configure(mount)).await;
    let answer = call_service(&app, TestRequest::with_uri(uri).to_request()).await;
    assert_eq!(answer.status(), 200, "{uri}");
    let headers = answer.headers().clone();
    (headers, String::from_utf8(read_body(answer).await.to_vec()).unwrap())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap().to_str().unwrap()
}

/// What stands in an attribute, wherever it is given.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!(" {name}=\"");
    page.split(begin.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[actix_web::test]
async fn it_shows_every_path_with_every_answer() {
    let (_, page) = get("/docs").await;
    let document: Value = serde_json::from_str(tollbar_http::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(page.contains(&format!("<code>{path}</code></a></h3>")), "{path}");
        let first = ["get", "post"].into_iter().find(|method| !item[*method].is_null()).unwrap();
        let id = item[first]["operationId"].as_str().unwrap();
        let section = page.split(&format!("<section id=\"{id}\"")).nth(1).unwrap();
        let section = section.split("</section>").next().unwrap();
        for status in item[first]["responses"].as_object().unwrap().keys() {
            assert!(section.contains(&format!(">{status}</span>")), "{path} {status}");
        }
        assert!(section.contains("curl &#34;$TOLLBAR/"), "{path}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
    for shown in ["RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id", "violated-policies"]
    {
        assert!(page.contains(shown), "{shown}");
    }
}

#[actix_web::test]
async fn a_line_for_a_shell_is_whole() {
    let (_, page) = get("/docs").await;
    for line in [
        // Up to the members, whose order is that of whichever map a build of serde_json has.
        "curl \"$TOLLBAR/login\" --json '{\"",
        "curl \"$TOLLBAR/logout\" -X POST -H \"Authorization: Bearer $TOKEN\"",
        "curl \"$TOLLBAR/top?api=ping&window=7d&by=limited&limit=3\"",
        "curl \"$TOLLBAR/authz/envoy/orders/7\" -H \"Authorization: Bearer $TOKEN\"",
    ] {
        let escaped = line.replace('&', "&#38;").replace('"', "&#34;").replace('\'', "&#39;");
        assert!(page.contains(&format!("<code>{escaped}")), "{line}");
    }
}

#[actix_web::test]
async fn it_needs_no_other_host_and_no_script() {
    for uri in ["/docs", "/docs?tag=calls"] {
        let (headers, page) = get(uri).await;
        assert_eq!(header(&headers, "content-security-policy"), POLICY);
        assert_eq!(header(&headers, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&headers, "x-content-type-options"), "nosniff");
        for banned in ["<script", "<style", " style=", " src=", " onclick=", "@import", "<iframe", "<img"] {
            assert!(!page.contains(banned), "{banned}");
        }
        let ids: BTreeSet<_> = attributes(&page, "id").into_iter().collect();
        for link in attributes(&page, "href") {
            assert!(!link.contains("//"), "{link} leads to another host");
            match link.strip_prefix('#') {
                Some(id) => assert!(ids.contains(id), "{link} leads nowhere"),
                None => drop(get(&format!("/{link}")).await),
            }
        }
    }
    let (headers, styles) = get("/docs.css").await;
    assert_eq!(header(&headers, "content-type"), "text/css; charset=utf-8");
    assert!(!styles.contains("url(") && !styles.contains("@import"));
    assert!(styles.contains("prefers-color-scheme: dark"));
}

#[actix_web::test]
async fn no_id_is_given_twice() {
    let (_, page) = get("/docs").await;
    let all = attributes(&page, "id");
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(all.len(), different.len());
}

#[actix_web::test]
async fn a_filter_leaves_the_others_out() {
    let (_, calls) = get("/docs?tag=calls").await;
    assert!(calls.contains("<section id=\"ping\"") && !calls.contains("<section id=\"login\""));
    assert!(calls.contains("<a href=\"docs?tag=calls\" aria-current=\"page\">calls</a>"));
    let (_, unknown) = get("/docs?tag=%3Cscript%3E").await;
    assert_eq!(unknown, get("/docs").await.1);
}

#[actix_web::test]
async fn the_description_is_beside_it() {
    let (headers, body) = get("/openapi.json").await;
    assert_eq!(header(&headers, "content-type"), "application/json");
    assert_eq!(body, tollbar_http::openapi());
}

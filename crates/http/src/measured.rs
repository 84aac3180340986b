//! Requests and how long their answers took, as metrics: by the route's template and never by the path, so that labels are few.

use std::{cell::RefCell, collections::HashMap};

use actix_web::{
    HttpRequest,
    http::{Method, StatusCode},
};
use foldhash::fast::RandomState;
use metrics::{Counter, Histogram, counter, histogram};
use tollbar_core::{
    domain::Timestamp,
    ports::{Clock as _, SystemClock},
};

type Handles = (Counter, Histogram);

/// To find handles in the recorder costs more than to record, and so does asking for a template at each request.
#[derive(Default)]
struct Known {
    /// Of paths that are their own template. They are as few as the routes.
    plain: HashMap<String, ByAnswer, RandomState>,
    others: HashMap<Option<String>, ByAnswer, RandomState>,
}

/// There are a few to each route.
#[derive(Default)]
struct ByAnswer(Vec<((&'static str, StatusCode), Handles)>);

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// A request that is being answered.
pub(crate) struct Measured {
    method: &'static str,
    began: Timestamp,
}

impl Measured {
    pub(crate) fn begin(method: &Method) -> Self {
        Self { method: label(method), began: SystemClock.steady() }
    }

    /// Says how it was answered; without a route, nothing was at its path.
    pub(crate) fn answered(self, request: &HttpRequest, status: StatusCode) {
        let took = SystemClock.steady().since(self.began);
        KNOWN.with_borrow_mut(|known| {
            let (requests, seconds) = known.handles(request, (self.method, status));
            requests.increment(1);
            seconds.record(took);
        });
    }
}

impl Known {
    fn handles(&mut self, request: &HttpRequest, answer: (&'static str, StatusCode)) -> &Handles {
        let path = request.path();
        if !self.plain.contains_key(path) {
            let route = request.match_pattern();
            if route.as_deref() != Some(path) {
                return self.others.entry(route.clone()).or_default().of(answer, route.as_deref());
            }
            self.plain.insert(path.to_owned(), ByAnswer::default());
        }
        let known = self.plain.get_mut(path).expect("it was looked up, or inserted");
        known.of(answer, Some(path))
    }
}

impl ByAnswer {
    fn of(&mut self, answer: (&'static str, StatusCode), route: Option<&str>) -> &Handles {
        let known = self.0.iter().position(|(known, _)| *known == answer);
        let at = known.unwrap_or_else(|| {
            self.0.push((answer, handles(answer, route)));
            self.0.len() - 1
        });
        &self.0[at].1
    }
}

fn handles((method, status): (&'static str, StatusCode), route: Option<&str>) -> Handles {
    let (route, status) = (route.unwrap_or("none").to_owned(), status.as_str().to_owned());
    let seconds = histogram!(
        "tollbar_http_request_duration_seconds",
        "method" => method, "route" => route.clone(), "status" => status.clone()
    );
    let requests =
        counter!("tollbar_http_requests_total", "method" => method, "route" => route, "status" => status);
    (requests, seconds)
}

/// Clients may send any method.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

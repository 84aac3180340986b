//! Requests and how long their answers took, as metrics: by the route's template and never by the path, so that labels are few.

use std::{cell::RefCell, collections::HashMap};

use actix_web::http::{Method, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use tollbar_core::{
    domain::Timestamp,
    ports::{Clock as _, SystemClock},
};

type Labels = (&'static str, StatusCode, Option<String>);

thread_local! {
    /// To find them in the recorder costs more than to record.
    static HANDLES: RefCell<HashMap<Labels, (Counter, Histogram)>> = RefCell::default();
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
    pub(crate) fn answered(self, route: Option<String>, status: StatusCode) {
        let took = SystemClock.steady().since(self.began);
        HANDLES.with_borrow_mut(|handles| {
            let labels = (self.method, status, route);
            let (requests, seconds) = match handles.get(&labels) {
                Some(known) => known,
                None => handles.entry(labels.clone()).or_insert(Self::handles(labels)),
            };
            requests.increment(1);
            seconds.record(took);
        });
    }

    fn handles((method, status, route): Labels) -> (Counter, Histogram) {
        let (route, status) = (route.unwrap_or_else(|| "none".to_owned()), status.as_str().to_owned());
        let seconds =
            histogram!("tollbar_http_request_duration_seconds", "method" => method, "route" => route.clone());
        let requests =
            counter!("tollbar_http_requests_total", "method" => method, "route" => route, "status" => status);
        (requests, seconds)
    }
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

//! What log lines say of their request: alone in a process, since what collects them is the whole process'.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::{
    io,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpMessage, HttpResponse,
    middleware::from_fn,
    test::{TestRequest, call_service, init_service},
    web,
};
use tollbar_http::{TraceContext, request_span};
use tracing_subscriber::{filter::LevelFilter, fmt::fmt};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn fail() -> HttpResponse {
    tracing::error!("it failed");
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn a_line_has_the_ids_of_its_request_however_little_is_logged() {
    let lines = Lines::default();
    let to = lines.clone();
    let logs = fmt().with_ansi(false).with_max_level(LevelFilter::ERROR).with_writer(move || to.clone());
    tracing::subscriber::set_global_default(logs.finish()).unwrap();
    let app = App::new().route("/", web::get().to(fail)).wrap(from_fn(request_span));
    let app = init_service(app).await;
    for (id, trace) in [("w1", None), ("w2", Some("4bf92f3577b34da6a3ce929d0e0e4736"))] {
        let request = TestRequest::get().uri("/").insert_header(("x-request-id", id)).to_request();
        if let Some(trace) = trace {
            request.extensions_mut().insert(TraceContext::new(format!("00-{trace}-00f067aa0ba902b7-01"), ""));
        }
        assert_eq!(call_service(&app, request).await.status(), 200);
        let said = String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap();
        assert!(said.contains("it failed") && said.contains(&format!("id=\"{id}\"")), "{said}");
        let traced = trace.map(|trace| format!("trace_id=\"{trace}\""));
        assert_eq!(said.contains("trace_id"), traced.is_some(), "{said}");
        assert!(traced.is_none_or(|traced| said.contains(&traced)), "{said}");
    }
}

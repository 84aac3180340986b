//! A span's fields as JSON, written straight into the line: every request has a span, and the formatter that comes with the
//! library builds a map of them first, at half of what a span costs in all.

use std::fmt::{self, Debug};

use tracing::{
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, FormattedFields, format::Writer},
};

/// Writes the fields of spans for the JSON format of events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanFields;

impl<'writer> FormatFields<'writer> for SpanFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'writer>, fields: R) -> fmt::Result {
        writer.write_char('{')?;
        let mut object = Object { writer, is_empty: true, result: Ok(()) };
        fields.record(&mut object);
        object.close()
    }

    fn add_fields(&self, current: &'writer mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        if current.fields.pop().is_none() {
            current.fields.push('{');
        }
        let is_empty = current.fields.ends_with('{');
        let mut object = Object { writer: current.as_writer(), is_empty, result: Ok(()) };
        fields.record(&mut object);
        object.close()
    }
}

/// A JSON object that has been begun.
struct Object<'writer> {
    writer: Writer<'writer>,
    is_empty: bool,
    result: fmt::Result,
}

impl Object<'_> {
    fn close(mut self) -> fmt::Result {
        self.result?;
        self.writer.write_char('}')
    }

    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_ok() {
            let comma = if std::mem::take(&mut self.is_empty) { "" } else { "," };
            self.result = self
                .writer
                .write_str(comma)
                .and_then(|()| text(&mut self.writer, field.name()))
                .and_then(|()| self.writer.write_char(':'))
                .and_then(|()| value(&mut self.writer));
        }
    }
}

/// A string, which is seldom one that has something to escape.
fn text(writer: &mut Writer<'_>, value: &str) -> fmt::Result {
    let is_plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\';
    if value.bytes().all(is_plain) {
        write!(writer, "\"{value}\"")
    } else {
        writer.write_str(&serde_json::to_string(value).map_err(|_| fmt::Error)?)
    }
}

impl Visit for Object<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, |writer| text(writer, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |writer| write!(writer, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, |writer| writer.write_str(&serde_json::json!(value).to_string()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing::{info, info_span};
    use tracing_subscriber::{fmt::layer, layer::SubscriberExt};

    use super::*;

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

    #[test]
    fn a_line_in_a_span_has_its_fields_whatever_they_hold() {
        let lines = Lines::default();
        let to = lines.clone();
        let logs = tracing_subscriber::registry()
            .with(layer().json().flatten_event(true).fmt_fields(SpanFields).with_writer(move || to.clone()));
        tracing::subscriber::with_default(logs, || {
            let late = tracing::field::Empty;
            let span = info_span!("request", id = "a\"\\\n\u{e9}", method = %"GET", n = 3_u64, m = -1, on = true, part = 1.5, late);
            span.record("late", "x");
            let _entered = span.enter();
            let bare = info_span!("bare", late);
            bare.record("late", 7);
            let _entered = bare.enter();
            info!("here");
        });
        let line: serde_json::Value = serde_json::from_slice(&lines.0.lock().unwrap()).unwrap();
        let expected = serde_json::json!([
            {"name": "request", "id": "a\"\\\n\u{e9}", "method": "GET", "n": 3, "m": -1, "on": true, "part": 1.5, "late": "x"},
            {"name": "bare", "late": 7},
        ]);
        assert_eq!(line["spans"], expected);
    }
}

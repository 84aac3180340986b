//! Times and numbers as people read them. All times are UTC.

use jiff::{Timestamp as Instant, tz::TimeZone};
use tollbar_core::domain::{Step, Timestamp};

/// When a step began: as much of it as tells it from others of its kind.
pub(crate) fn label(start: Timestamp, step: Step) -> String {
    let form = match step {
        Step::Minute => "%H:%M",
        Step::Hour => "%d %b %H:%M",
        Step::Day => "%d %b %Y",
    };
    written(start, form)
}

/// A time of day.
pub(crate) fn of_day(at: Timestamp) -> String {
    written(at, "%H:%M:%S")
}

fn written(at: Timestamp, form: &str) -> String {
    let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
    let instant = Instant::from_microsecond(micros).unwrap_or(Instant::MAX);
    instant.to_zoned(TimeZone::UTC).strftime(form).to_string()
}

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// A duration: three digits of it at most.
pub(crate) fn span(seconds: f64) -> String {
    let millis = seconds * 1_000.0;
    match millis {
        ..1.0 => format!("{millis:.2} ms"),
        ..10.0 => format!("{millis:.1} ms"),
        ..1_000.0 => format!("{millis:.0} ms"),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let numbers = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        let spans = [0.000_25, 0.004_2, 0.25, 2.5].map(span);
        assert_eq!(spans, ["0.25 ms", "4.2 ms", "250 ms", "2.5 s"]);
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let labels = [Step::Minute, Step::Hour, Step::Day].map(|step| label(at, step));
        assert_eq!(labels, ["22:13", "14 Nov 22:13", "14 Nov 2023"]);
        assert_eq!(of_day(at), "22:13:20");
    }
}

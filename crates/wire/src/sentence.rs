//! The sentence that tells a caller which window is violated, in the words that clients were written against.

use std::time::Duration;

use tollbar_core::domain::{ApiName, Window};

/// `Rate limit exceeded in 1 minute period 2 time calling ping API!`
pub(crate) fn rate_limit_exceeded(api: &ApiName, window: &Window) -> String {
    let (period, quota) = (period(window.period()), window.quota());
    format!("Rate limit exceeded in {period} period {quota} time calling {api} API!")
}

/// Whole days, hours and minutes by name; else seconds, milliseconds or microseconds, whichever is whole.
fn period(period: Duration) -> String {
    const NAMED: [(u64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let (seconds, micros) = (period.as_secs(), period.as_micros());
    if !micros.is_multiple_of(1_000) {
        return format!("{micros}us");
    }
    if !micros.is_multiple_of(1_000_000) {
        return format!("{}ms", micros / 1_000);
    }
    match NAMED.into_iter().find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit)) {
        Some((unit, name)) if seconds == unit => format!("1 {name}"),
        Some((unit, name)) => format!("{} {name}s", seconds / unit),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::Quota;

    use super::*;

    #[test]
    fn the_two_windows_of_ping_read_as_they_always_did() {
        let ping = ApiName::new("ping").unwrap();
        let window =
            |quota, seconds| Window::new(Quota::new(quota).unwrap(), Duration::from_secs(seconds)).unwrap();
        assert_eq!(
            rate_limit_exceeded(&ping, &window(1, 5)),
            "Rate limit exceeded in 5s period 1 time calling ping API!"
        );
        assert_eq!(
            rate_limit_exceeded(&ping, &window(2, 60)),
            "Rate limit exceeded in 1 minute period 2 time calling ping API!"
        );
    }

    #[test]
    fn periods_are_said_in_their_largest_whole_unit() {
        for (millis, said) in [
            (1, "1ms"),
            (1_500, "1500ms"),
            (1_000, "1s"),
            (59_000, "59s"),
            (61_000, "61s"),
            (90_000, "90s"),
            (120_000, "2 minutes"),
            (3_600_000, "1 hour"),
            (5_400_000, "90 minutes"),
            (86_400_000, "1 day"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(period(Duration::from_millis(millis)), said);
        }
        assert_eq!(period(Duration::from_micros(1_500)), "1500us");
    }
}

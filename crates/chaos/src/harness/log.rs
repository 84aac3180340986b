//! Reads what a process logs: keeps it in a file, and finds the lines that promises depend on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::ChildStdout;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::clock::Clock;
use super::recorder::locked;
use crate::history::{ProcessId, Unconfirmed};

const LISTENING: &str = "listening";
const UNCONFIRMED: &str = "a change of sessions was not confirmed by the live tier";

/// What the logs of all processes have said.
#[derive(Debug, Default)]
pub(super) struct Told {
    unconfirmed: Mutex<Vec<Unconfirmed>>,
    /// Lines at level ERROR, and how often each came.
    errors: Mutex<BTreeMap<String, u64>>,
}

impl Told {
    /// Changes that the live tier was not told of.
    pub(super) fn unconfirmed(&self) -> Vec<Unconfirmed> {
        locked(&self.unconfirmed).clone()
    }

    /// Errors, which no fault should lead to.
    pub(super) fn errors(&self) -> Vec<String> {
        let errors = locked(&self.errors);
        errors.iter().map(|(text, times)| format!("logged {times} times: {text}")).collect()
    }

    fn note(&self, process: ProcessId, clock: Clock, event: &Value) {
        let message = event["message"].as_str().unwrap_or_default();
        if message == UNCONFIRMED
            && let Some(id) = number(&event["user"])
            && let Some(at) = event["timestamp"].as_str().and_then(|text| clock.of(text))
        {
            locked(&self.unconfirmed).push(Unconfirmed { process, id, at });
        }
        if event["level"] == "ERROR" {
            let error = event.get("error").or_else(|| event.get("panic")).map(Value::to_string);
            let text = format!("{message} {}", error.unwrap_or_default());
            *locked(&self.errors).entry(text).or_default() += 1;
        }
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Reads until the process has ended. The receiver gets the address that it listens at.
pub(super) fn follow(
    process: ProcessId,
    output: ChildStdout,
    mut file: File,
    told: Arc<Told>,
    clock: Clock,
) -> (Receiver<SocketAddr>, JoinHandle<()>) {
    let (tell, address) = channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // A disk that is full keeps nobody from reading on.
            let _ = writeln!(file, "{line}");
            let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
            if event["message"] == LISTENING
                && let Some(address) = event["address"].as_str().and_then(|text| text.parse().ok())
            {
                let _ = tell.send(address);
            }
            told.note(process, clock, &event);
        }
    });
    (address, reader)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_changes_that_were_not_confirmed_and_errors() {
        let (told, clock) = (Told::default(), Clock::start());
        let told_at = "2100-01-01T00:00:00.5Z";
        told.note(
            1,
            clock,
            &json!({"timestamp": told_at, "level": "WARN", "message": UNCONFIRMED, "user": "7"}),
        );
        told.note(1, clock, &json!({"timestamp": told_at, "level": "WARN", "message": "answered 503"}));
        for _ in 0..2 {
            told.note(1, clock, &json!({"level": "ERROR", "message": "answered 500", "error": "x"}));
        }
        let [line] = told.unconfirmed()[..] else { panic!("one line") };
        assert_eq!((line.process, line.id, Some(line.at)), (1, 7, clock.of(told_at)));
        assert_eq!(told.errors(), ["logged 2 times: answered 500 \"x\""]);
    }
}

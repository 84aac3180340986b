//! What a load takes of Redis: calls that clients send, and processor time.

use tollbar_testkit::PrivateRedis;

use crate::error::XtaskError;

/// Commands that run a script; what scripts call inside is counted under its own name.
const SCRIPTED: [&str; 6] = ["eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"];

/// What was taken so far, or between two looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RedisUse {
    /// Runs of scripts.
    pub(crate) trips: f64,
    pub(crate) cpu_micros: f64,
}

impl RedisUse {
    /// Looks.
    pub(crate) fn of(server: &PrivateRedis) -> Result<Self, XtaskError> {
        let info = |section| {
            let answer = server.query(&["INFO", section])?;
            let text: Result<String, _> = redis::from_redis_value(answer);
            text.map_err(|error| XtaskError::Measured(format!("INFO {section}: {error}")))
        };
        Ok(Self::parse(&info("commandstats")?, &info("cpu")?))
    }

    /// What was taken since another look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { trips: self.trips - before.trips, cpu_micros: self.cpu_micros - before.cpu_micros }
    }

    fn parse(commands: &str, cpu: &str) -> Self {
        let calls = |line: &str| -> Option<f64> {
            let (name, facts) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = facts.split(',').find_map(|fact| fact.strip_prefix("calls="))?;
            SCRIPTED.contains(&name).then(|| calls.parse().ok()).flatten()
        };
        let seconds = |line: &str| -> Option<f64> {
            let value =
                ["used_cpu_user:", "used_cpu_sys:"].iter().find_map(|name| line.strip_prefix(name))?;
            value.trim().parse().ok()
        };
        Self {
            trips: commands.lines().filter_map(calls).sum(),
            cpu_micros: cpu.lines().filter_map(seconds).sum::<f64>() * 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_redis_says() {
        let commands = "# Commandstats\r\ncmdstat_evalsha:calls=90,usec=5,rejected_calls=0\r\n\
            cmdstat_get:calls=7,usec=1\r\ncmdstat_eval:calls=2,usec=1\r\n";
        let cpu = "# CPU\r\nused_cpu_sys:0.5\r\nused_cpu_user:1.25\r\nused_cpu_sys_children:9.0\r\n";
        let now = RedisUse::parse(commands, cpu);
        assert_eq!(now, RedisUse { trips: 92.0, cpu_micros: 1_750_000.0 });
        assert_eq!(now.since(now), RedisUse { trips: 0.0, cpu_micros: 0.0 });
    }
}

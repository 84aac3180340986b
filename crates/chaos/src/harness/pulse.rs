//! Feels whether the machine and the engines stand still by themselves: a deadline that is missed then is nobody's fault.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use redis::Connection;
use tokio::runtime::{Builder, Handle};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

use super::clock::{Clock, micros};
use super::options::Pace;
use super::recorder::locked;
use crate::history::{Engine, Stall};

const STEP: Duration = Duration::from_millis(10);
/// How late a thread may wake up on a machine that is well.
const LATE: Duration = Duration::from_millis(40);
/// How long an engine is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Threads that ask, over and over, past all links.
#[derive(Debug)]
pub(super) struct Pulse {
    stop: Arc<AtomicBool>,
    stalls: Arc<Mutex<Vec<Stall>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pulse {
    /// Begins to feel.
    pub(super) fn start(clock: Clock, pace: &Pace, redis: String, postgres: String) -> Self {
        let (stop, stalls) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let mut pulse = Self { stop, stalls, threads: Vec::new() };
        pulse.feel(clock, None, STEP + LATE, || sleep(STEP));
        let mut connection = None;
        pulse
            .feel(clock, Some(Engine::Redis), pace.redis_deadline / 3, move || ping(&redis, &mut connection));
        let mut client = None;
        let runtime = Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            pulse.feel(clock, Some(Engine::Postgres), pace.postgres_deadline / 3, move || {
                runtime.block_on(select(&postgres, &mut client));
            });
        }
        pulse
    }

    /// Repeats a question on a thread of its own, and notes when it takes longer than it should.
    fn feel(
        &mut self,
        clock: Clock,
        engine: Option<Engine>,
        most: Duration,
        mut ask: impl FnMut() + Send + 'static,
    ) {
        let (stop, stalls) = (Arc::clone(&self.stop), Arc::clone(&self.stalls));
        self.threads.push(thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let from = clock.now();
                ask();
                let to = clock.now();
                if to - from > micros(most) {
                    locked(&stalls).push(Stall { engine, from, to });
                }
                sleep(STEP);
            }
        }));
    }

    /// Ends, and gives what was felt. It blocks its thread for as long as an engine is waited for.
    pub(super) fn stop(self) -> Vec<Stall> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            // One that panicked has said so.
            let _ = thread.join();
        }
        std::mem::take(&mut locked(&self.stalls))
    }
}

/// An engine that is not there is a fault of ours, and no stall: it is asked again.
fn ping(url: &str, connection: &mut Option<Connection>) {
    let asked = match connection {
        Some(connected) => redis::cmd("PING").exec(connected),
        None => connect(url).map(|connected| *connection = Some(connected)),
    };
    if asked.is_err() {
        *connection = None;
        sleep(STEP);
    }
}

fn connect(url: &str) -> redis::RedisResult<Connection> {
    let connection = redis::Client::open(url)?.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    Ok(connection)
}

async fn select(url: &str, client: &mut Option<Client>) {
    let asked = async {
        if let Some(connected) = client {
            return connected.simple_query("SELECT 1").await.map(drop);
        }
        let (connected, connection) = tokio_postgres::connect(url, NoTls).await?;
        Handle::current().spawn(connection);
        *client = Some(connected);
        Ok(())
    };
    if !matches!(timeout(PATIENCE, asked).await, Ok(Ok(()))) {
        *client = None;
        tokio::time::sleep(STEP).await;
    }
}

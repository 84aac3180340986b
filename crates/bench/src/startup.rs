//! How fast a service starts, and what it then weighs.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use clap::Args;

use crate::{Failure, median::median, stopwatch::Stopwatch};

const LIMIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_micros(500);

/// Start a service again and again
#[derive(Args)]
pub(crate) struct Startup {
    /// The service
    #[arg(long)]
    binary: PathBuf,
    /// Its configuration file, if not the default
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where it will listen
    #[arg(long)]
    address: SocketAddr,
    /// The folder in which it runs
    #[arg(long)]
    folder: PathBuf,
    /// How often to start it, after a first time that does not count
    #[arg(long)]
    times: usize,
}

/// A started service, which does not outlive us.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Startup {
    pub(crate) fn run(self) -> Result<(), Failure> {
        // The first start makes the database.
        drop(self.start()?);
        let (mut times, mut resident) = (Vec::new(), 0);
        for turn in 1..=self.times {
            let (service, time) = self.start()?;
            times.push(time);
            if turn == self.times {
                sleep(Duration::from_secs(1));
                resident = resident_bytes(service.0.id())?;
            }
        }
        let bytes = fs::metadata(&self.binary)?.len();
        println!("start_micros={}\nresident={resident}\nbinary={bytes}", median(times).as_micros());
        Ok(())
    }

    /// Until the first 200 of `/healthz`.
    fn start(&self) -> Result<(Service, Duration), Failure> {
        let mut command = Command::new(&self.binary);
        command.env_clear().env("TOLLBAR__SERVER__BIND", self.address.to_string());
        command.env("TOLLBAR__ADMIN__BIND", "127.0.0.1:0");
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        let watch = Stopwatch::start();
        let mut service = Service(command.spawn()?);
        while !healthy(self.address) {
            if let Some(status) = service.0.try_wait()? {
                return Err(format!("the service ended when it was started: {status}").into());
            }
            if watch.elapsed() > LIMIT {
                return Err("the service did not get ready".into());
            }
            sleep(STEP);
        }
        let time = watch.elapsed();
        Ok((service, time))
    }
}

fn healthy(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok::<_, std::io::Error>(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

fn resident_bytes(process: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

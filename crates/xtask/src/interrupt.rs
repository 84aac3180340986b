//! Running a program that ends with all its children when we are told to end.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;
use std::{io, os::unix::process::CommandExt as _};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

const STEP: Duration = Duration::from_millis(50);
/// How many steps an interrupted program has before it is killed.
const GRACE: u32 = 60;

/// Catches Ctrl-C, SIGTERM and SIGHUP from now on: what runs is then ended in order.
pub(crate) fn catch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst))
}

/// Whether we were told to end.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Runs the program to its end; when we are told to end, it and all that it started end first.
pub(crate) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    // A group of its own is what reaches the tests that cargo runs.
    wait(command.process_group(0).spawn()?)
}

/// The same; also gives what the program prints to its standard output.
pub(crate) fn output(command: &mut Command) -> io::Result<(ExitStatus, String)> {
    let mut child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
    let reader = thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let status = wait(child)?;
    let text = reader.join().map_err(|_| io::Error::other("the reader of the output panicked"))??;
    Ok((status, text))
}

fn wait(mut child: Child) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if interrupted() {
            return end(&mut child);
        }
        sleep(STEP);
    }
}

fn end(child: &mut Child) -> io::Result<ExitStatus> {
    // Not waited for yet, so the id is still this group's.
    let group = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    let _ = killpg(group, Signal::SIGTERM);
    for _ in 0..GRACE {
        // The others of the group may outlive its leader, so that the group itself is asked.
        if child.try_wait()?.is_some() && killpg(group, None).is_err() {
            break;
        }
        sleep(STEP);
    }
    let _ = killpg(group, Signal::SIGKILL);
    child.wait()
}

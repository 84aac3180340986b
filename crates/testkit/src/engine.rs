//! A server process that does not outlive us.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::EngineError;
use crate::folder::{Folder, Post};
use crate::waiting::wait_for;

/// A running server. Dropping it ends it; the guard of its folder does so where we are killed ourselves.
#[derive(Debug)]
pub(crate) struct Engine {
    child: Child,
    ends_on: Signal,
    post: Post,
}

impl Engine {
    /// Runs the command in the folder. `ends_on` is the signal on which this server ends at once and cleans up.
    pub(crate) fn start(
        command: &mut Command,
        ends_on: Signal,
        folder: &Folder,
    ) -> Result<Self, EngineError> {
        let name = command.get_program().to_string_lossy().into_owned();
        // A group of its own: Ctrl-C in a terminal is for the tests, which then end their engines in order.
        let command = command.current_dir(folder.path()).stdin(Stdio::null()).process_group(0);
        let child = command.spawn().map_err(EngineError::io(format!("run {name}")))?;
        let post = folder.post();
        post.runs(child.id(), ends_on);
        Ok(Self { child, ends_on, post })
    }

    /// The server's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How the server has ended, if it has.
    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("our own child can be waited for")
    }

    /// Whether the server has ended.
    pub(crate) fn ended(&mut self) -> bool {
        self.status().is_some()
    }

    /// Stops it and its children where they are (SIGSTOP).
    pub(crate) fn pause(&self) {
        // The parent first: a stopped parent makes no new children.
        self.signal(Signal::SIGSTOP);
        self.children().into_iter().for_each(|child| send(child, Signal::SIGSTOP));
    }

    /// Lets it and its children go on (SIGCONT).
    pub(crate) fn resume(&self) {
        self.children().into_iter().for_each(|child| send(child, Signal::SIGCONT));
        self.signal(Signal::SIGCONT);
    }

    /// Kills it and its children (SIGKILL), and waits until all are gone.
    pub(crate) fn kill9(mut self) {
        self.kill_all();
    }

    /// Asks it to end with the signal and waits; a server that does not is killed, and that is `false`.
    pub(crate) fn end(mut self, signal: Signal) -> bool {
        self.end_within(signal, Duration::from_secs(20))
    }

    fn end_within(&mut self, signal: Signal, limit: Duration) -> bool {
        self.resume();
        self.signal(signal);
        let ended = wait_for(limit, || self.ended().then_some(())).is_some();
        if !ended {
            self.kill_all();
        }
        ended
    }

    fn kill_all(&mut self) {
        if self.ended() {
            return;
        }
        // Children die while their stopped parent still holds them: then none is left that keeps a port, a file or
        // shared memory from the next start.
        self.pause();
        let children = self.children();
        for child in &children {
            send(*child, Signal::SIGKILL);
        }
        wait_for(Duration::from_secs(10), || children.iter().all(|child| !alive(*child)).then_some(()));
        // Our own child, not yet waited for, can always be killed; a panic here could meet another one.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }

    fn signal(&self, signal: Signal) {
        send(pid(self.child.id()), signal);
    }

    /// The direct children, on systems with a /proc. Elsewhere servers have to notice their parent's death.
    fn children(&self) -> Vec<Pid> {
        let parent = self.child.id();
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|id| status(*id).is_some_and(|(_, found)| found == parent)).map(pid).collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !self.ended() {
            let signal = self.ends_on;
            self.end_within(signal, Duration::from_secs(5));
        }
        self.post.idle();
    }
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("process ids are positive and fit"))
}

// A process that has just ended cannot be signalled, which is what the signal was for.
fn send(process: Pid, signal: Signal) {
    let _ = kill(process, signal);
}

fn alive(process: Pid) -> bool {
    let found = u32::try_from(process.as_raw()).ok().and_then(status);
    found.is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// State and parent of a process. Its name, which stands before them in parentheses, may hold anything.
fn status(id: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

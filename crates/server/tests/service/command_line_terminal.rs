//! On a terminal, work that may be long shows how far it is.

use std::{fs::File, io::Read as _, process::Stdio};

use nix::{
    pty::{Winsize, openpty},
    sys::signal::Signal,
};
use tokio::{process::Command, task::JoinHandle};

use crate::{
    process::{Process, command},
    tiers::Tiers,
};

/// The command with its standard error on a terminal, and all that is shown there by its end.
fn on_terminal(tiers: &Tiers, arguments: &[&str]) -> (Command, JoinHandle<String>) {
    let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(Some(&size), None).unwrap();
    let mut command = command(arguments, tiers.variables());
    command.env("TERM", "xterm").stderr(Stdio::from(terminal.slave));
    let shown = tokio::task::spawn_blocking(move || {
        let (mut screen, mut shown) = (File::from(terminal.master), Vec::new());
        // The terminal ends with its last user, which is an error on Linux.
        let _ = screen.read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    (command, shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bar_shows_how_far_the_migrations_are() {
    for (arguments, shows) in [(&["migrate"][..], true), (&["migrate", "--json"], false)] {
        let tiers = Tiers::embedded();
        let (mut command, shown) = on_terminal(&tiers, arguments);
        let mut child = command.spawn().unwrap();
        drop(command);
        assert!(child.wait().await.unwrap().success());
        let shown = shown.await.unwrap();
        assert_eq!(shown.contains("2025-11-21-000001_users"), shows, "{shown:?}");
        assert!(!shows || shown.contains("0/"), "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_shows_how_far_the_leaderboard_is() {
    let tiers = Tiers::embedded();
    // The second start finds a caller in the ledger.
    for callers in [0, 1] {
        let (command, shown) = on_terminal(&tiers, &[]);
        let process = Process::of(command).await;
        if callers == 0 {
            process.client.signup("ada").await;
            let token = process.client.login("ada").await;
            assert_eq!(process.client.ping(&token).await.0, 200);
        }
        process.signal(Signal::SIGTERM);
        assert_eq!(process.end().await.0, Some(0));
        let shown = shown.await.unwrap();
        assert_eq!(shown.contains("1 callers on the leaderboard"), callers == 1, "{shown:?}");
    }
}

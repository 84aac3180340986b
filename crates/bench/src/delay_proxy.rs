//! A proxy that makes a link longer: each piece of data arrives later by the same time, in order, and none waits for another.

use std::{
    io::{self, Read, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use clap::Args;

use crate::{Failure, stopwatch::Stopwatch};

/// Pass everything on, later
#[derive(Args)]
pub(crate) struct DelayProxy {
    /// Where to listen
    #[arg(long)]
    address: SocketAddr,
    /// Where to pass it on to
    #[arg(long)]
    target: SocketAddr,
    /// How much later, each way
    #[arg(long)]
    micros: u64,
}

/// When a piece came in, and the piece.
type Piece = (Stopwatch, Vec<u8>);

impl DelayProxy {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let delay = Duration::from_micros(self.micros);
        for client in TcpListener::bind(self.address)?.incoming() {
            let (client, server) = (client?, TcpStream::connect(self.target)?);
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            carry(client.try_clone()?, server.try_clone()?, delay);
            carry(server, client, delay);
        }
        Ok(())
    }
}

/// Threads, since their sleep is exact to some 50 µs, while tokio's timers know whole milliseconds only.
fn carry(from: TcpStream, to: TcpStream, delay: Duration) {
    let (queue, queued) = channel();
    thread::spawn(move || take(from, &queue));
    thread::spawn(move || {
        let given = give(&to, &queued, delay);
        let _ = given.and_then(|()| to.shutdown(Shutdown::Write));
    });
}

fn take(mut from: TcpStream, queue: &Sender<Piece>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if queue.send((Stopwatch::start(), buffer[..length].to_vec())).is_err() {
            break;
        }
    }
}

fn give(mut to: &TcpStream, queued: &Receiver<Piece>, delay: Duration) -> io::Result<()> {
    while let Ok((came, piece)) = queued.recv() {
        thread::sleep(delay.saturating_sub(came.elapsed()));
        to.write_all(&piece)?;
    }
    Ok(())
}

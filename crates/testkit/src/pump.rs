//! One direction of a proxied connection: bytes wait as long as the link says.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// What a link does with bytes that go one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// They arrive this much later.
    Open(Duration),
    /// They wait until the way is open again.
    Held,
}

/// Moves bytes from one side to the other until the first one ends, and passes the end on.
pub(crate) async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: watch::Receiver<Way>,
) -> io::Result<()> {
    let (queue, mut queued) = mpsc::channel(64);
    let mut gate = way.clone();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            // Each piece has its own delay from when it came in: a delay is not a lower rate.
            let delay = match *way.borrow() {
                Way::Open(delay) => delay,
                Way::Held => Duration::ZERO,
            };
            let due = Box::pin(sleep(delay));
            if queue.send((due, buffer[..length].to_vec())).await.is_err() || length == 0 {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = queued.recv().await {
            due.await;
            let open = gate.wait_for(|way| *way != Way::Held).await.map(drop);
            open.map_err(io::Error::other)?;
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            to.write_all(&bytes).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}

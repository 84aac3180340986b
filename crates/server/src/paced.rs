//! A connection that ends where its next request takes too long to come.
//!
//! actix bounds the first head of a connection only: its timer is set once, and whatever arrives later stops the one for
//! keep-alive, so that a head that trickles in holds a connection for ever. Here one rule bounds all later ones: from the end of
//! an answer, the next request has so long to be complete up to its body. The body has a limit of its own, where it is read.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long a connection that is to be closed is still read, so that its client sees the answer.
pub(crate) const LINGER: Duration = Duration::from_millis(500);

/// A stream under that rule. Its first request is left to actix, which answers 408 where this only closes.
pub(crate) struct Paced<S> {
    stream: S,
    pace: Pace,
    limit: Duration,
    /// The end of the wait after the answer of this number. While a request is served it stays as it was: to set it anew is
    /// much less work than to take it down and put another up.
    wait: Option<(u64, Pin<Box<Sleep>>)>,
    /// The client does not take what is written.
    is_full: bool,
}

/// What the stream and the requests on it know of each other.
#[derive(Clone, Default)]
pub(crate) struct Pace(Rc<Shared>);

#[derive(Default)]
struct Shared {
    /// Requests whose answer is being made.
    serving: Cell<usize>,
    /// Requests so far whose answer has been made.
    served: Cell<u64>,
    /// The last answer said that the connection closes: all that is left is to let the client read it.
    closing: Cell<bool>,
}

/// A request is being served until this is dropped.
pub(crate) struct Serving(Pace);

impl Pace {
    /// Says that a request has come.
    pub(crate) fn serve(&self) -> Serving {
        self.0.serving.set(self.0.serving.get() + 1);
        Serving(self.clone())
    }

    /// Says that the connection is to be closed after the answer that is being made.
    pub(crate) fn close(&self) {
        self.0.closing.set(true);
    }

    /// How many answers there were, where the stream waits for the next request after one.
    fn waiting_since(&self) -> Option<u64> {
        let (serving, served) = (self.0.serving.get(), self.0.served.get());
        (serving == 0 && served > 0).then_some(served)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let shared = &self.0.0;
        shared.serving.set(shared.serving.get() - 1);
        shared.served.set(shared.served.get() + 1);
    }
}

impl<S> Paced<S> {
    pub(crate) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, pace: Pace::default(), limit, wait: None, is_full: false }
    }

    pub(crate) fn pace(&self) -> Pace {
        self.pace.clone()
    }

    /// Fails where the wait is over. Called by whatever polls the stream, so that the waker is always the last one's.
    fn keep_pace(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(served) = self.pace.waiting_since() else { return Ok(()) };
        let limit = if self.pace.0.closing.get() { LINGER } else { self.limit };
        let (of, end) = self.wait.get_or_insert_with(|| (served, Box::pin(sleep(limit))));
        if *of != served {
            *of = served;
            // `sleep` knows the time, and is asked for nothing else.
            end.as_mut().reset(sleep(limit).deadline());
        }
        if end.as_mut().poll(cx).is_ready() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.keep_pace(cx)?;
        // Who does not take answers may not ask on, or the answers would pile up here. The write that is under way wakes the task.
        if self.is_full {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // An answer has just been made: actix need not read again before the client speaks, so the wait begins here.
        self.keep_pace(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.is_full = written.is_pending();
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    /// Whether one poll of a write is taken.
    async fn answers(paced: &mut Paced<DuplexStream>) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *paced).poll_write(cx, &[b'a'; 16]).is_ready())).await
    }

    /// Whether one poll of a read gives something.
    async fn asks(paced: &mut Paced<DuplexStream>) -> bool {
        let mut bytes = [0; 4];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *paced).poll_read(cx, &mut buffer).is_ready())).await
    }

    #[tokio::test]
    async fn who_does_not_take_answers_may_not_ask_on() {
        let (mut client, server) = duplex(16);
        let mut paced = Paced::new(server, Duration::from_secs(1));
        client.write_all(b"ask again").await.unwrap();
        assert!(answers(&mut paced).await && asks(&mut paced).await);
        assert!(!answers(&mut paced).await, "the way to the client is full");
        assert!(!asks(&mut paced).await, "a request was read while an answer waits");
        client.read_exact(&mut [0; 16]).await.unwrap();
        assert!(answers(&mut paced).await && asks(&mut paced).await);
    }
}

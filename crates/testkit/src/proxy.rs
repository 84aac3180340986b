//! A TCP proxy on loopback that tests break: refused, hung, deaf in one direction or slow.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::address::{address_of, through};
use crate::ports::free_port;
use crate::pump::{Way, pump};

/// A proxy in front of one server, which passes everything until it is told otherwise.
///
/// It runs on a thread of its own, so that a test that blocks its runtime does not stop it. Each change has taken
/// effect when the call returns. Dropping the proxy cuts all connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: Option<UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    /// Close the port and cut every connection.
    Refuse(mpsc::Sender<()>),
    /// Open the port, and let both ways (to the server, to the client) be so.
    Open(Way, Way, mpsc::Sender<()>),
}

impl Proxy {
    /// A proxy to the server at this address.
    #[track_caller]
    pub fn to(target: SocketAddr) -> Self {
        let (address, listener) =
            (0..100).find_map(|_| listen().ok()).expect("some port on loopback is free");
        let (orders, received) = unbounded_channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime needs only a few file descriptors");
            runtime.block_on(serve(listener, address, target, received));
        });
        Self { address, orders: Some(orders), thread: Some(thread) }
    }

    /// A proxy to the server that this URL leads to; [`Self::url`] gives the URL through it.
    #[track_caller]
    pub fn to_url(url: &str) -> Self {
        Self::to(address_of(url))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same URL, but through this proxy.
    #[track_caller]
    pub fn url(&self, direct: &str) -> String {
        through(direct, self.address)
    }

    /// Passes everything; what waited goes on.
    #[track_caller]
    pub fn pass(&self) {
        self.delay(Duration::ZERO, Duration::ZERO);
    }

    /// Resets all connections and refuses new ones.
    #[track_caller]
    pub fn refuse(&self) {
        self.order(Order::Refuse);
    }

    /// Accepts connections and forwards nothing; bytes wait, as in a partition that may heal.
    #[track_caller]
    pub fn blackhole(&self) {
        self.order(|done| Order::Open(Way::Held, Way::Held, done));
    }

    /// Forwards what clients send and holds every answer back: what was asked is done, and nobody learns of it.
    #[track_caller]
    pub fn hold_answers(&self) {
        self.order(|done| Order::Open(Way::Open(Duration::ZERO), Way::Held, done));
    }

    /// Passes everything, later by these times each way.
    #[track_caller]
    pub fn delay(&self, to_server: Duration, to_client: Duration) {
        self.order(|done| Order::Open(Way::Open(to_server), Way::Open(to_client), done));
    }

    #[track_caller]
    fn order(&self, order: impl FnOnce(mpsc::Sender<()>) -> Order) {
        let (done, wait) = mpsc::channel();
        let orders = self.orders.as_ref().expect("the orders are there until the drop");
        let obeyed = orders.send(order(done)).is_ok() && wait.recv().is_ok();
        assert!(obeyed, "the proxy at {} has ended: its port could not be opened again", self.address);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A proxy that panicked has said so already.
            let _ = thread.join();
        }
    }
}

fn listen() -> io::Result<(SocketAddr, std::net::TcpListener)> {
    let port = free_port().map_err(io::Error::other)?;
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok((listener.local_addr()?, listener))
}

/// The port: listening, or held without listening, which refuses clients and keeps others from taking it.
enum Door {
    Open(TcpListener),
    Shut(TcpSocket),
}

impl Door {
    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.map(|(client, _)| client),
            Self::Shut(_) => pending().await,
        }
    }

    fn shut(self, address: SocketAddr) -> io::Result<Self> {
        drop(self);
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self::Shut(socket))
    }

    fn open(self) -> io::Result<Self> {
        match self {
            Self::Shut(socket) => socket.listen(1024).map(Self::Open),
            open @ Self::Open(_) => Ok(open),
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    at: SocketAddr,
    target: SocketAddr,
    mut orders: UnboundedReceiver<Order>,
) {
    let mut door = Door::Open(TcpListener::from_std(listener).expect("the listener does not block"));
    let open = Way::Open(Duration::ZERO);
    let (to_server, to_client) = (watch::Sender::new(open), watch::Sender::new(open));
    let mut cut = watch::Sender::new(());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Refuse(done)) => {
                    door = door.shut(at).expect("the port was ours until now");
                    // Connections end when their cord is dropped.
                    cut = watch::Sender::new(());
                    while connections.join_next().await.is_some() {}
                    let _ = done.send(());
                }
                Some(Order::Open(up, down, done)) => {
                    to_server.send_replace(up);
                    to_client.send_replace(down);
                    door = door.open().expect("the port was held for us");
                    let _ = done.send(());
                }
            },
            accepted = door.accept() => match accepted {
                Ok(client) => {
                    let ways = (to_server.subscribe(), to_client.subscribe());
                    connections.spawn(connection(client, target, ways, cut.subscribe()));
                }
                // The client left already, or the process is out of descriptors for a while.
                Err(_) => sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    mut client: TcpStream,
    target: SocketAddr,
    ways: (watch::Receiver<Way>, watch::Receiver<Way>),
    mut cord: watch::Receiver<()>,
) {
    let passed = tokio::select! {
        passed = pass(&mut client, target, ways) => passed,
        _ = cord.changed() => Err(io::ErrorKind::ConnectionReset.into()),
    };
    if passed.is_err() {
        // The client then sees a reset and not an end in order.
        let _ = client.set_zero_linger();
    }
}

async fn pass(
    client: &mut TcpStream,
    target: SocketAddr,
    (mut up, down): (watch::Receiver<Way>, watch::Receiver<Way>),
) -> io::Result<()> {
    up.wait_for(|way| *way != Way::Held).await.map_err(io::Error::other)?;
    let mut server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(pump(from_client, to_server, up), pump(from_server, to_client, down)).map(drop)
}

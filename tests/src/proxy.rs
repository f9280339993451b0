//! The network between a console and its server, made as bad as a test wants it: a TCP proxy on this machine.
//!
//! What it does to the bytes is its [`Weather`], which may change at any time. A connection that has lost bytes is lost
//! with them: it hangs while the weather lasts, and is cut with the first bytes after it.

mod pipe;

use crate::tls::TlsAcceptor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weather {
    /// They arrive.
    Clear,
    /// Connections are made, and then nothing arrives, either way.
    BlackHole,
    /// Nothing arrives that goes this way; the other way is clear.
    HalfOpen(Way),
    /// Each piece cuts its connection with this probability, instead of arriving.
    Cutting(f64),
    /// They arrive so much later.
    Late(Duration),
    /// So many bits arrive a second, on each connection and each way.
    Slow(u32),
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What the client says.
    ToServer,
    /// What the server says.
    ToClient,
}

impl Weather {
    fn swallows(self, way: Way) -> bool {
        match self {
            Self::BlackHole => true,
            Self::HalfOpen(lost) => lost == way,
            Self::Clear | Self::Cutting(_) | Self::Late(_) | Self::Slow(_) => false,
        }
    }
}

/// A proxy before one server. It ends with this value, and so do its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    sky: watch::Sender<Sky>,
    counts: Arc<Counts>,
    /// Its tasks end with it.
    _tasks: JoinSet<()>,
}

/// What all connections look at.
#[derive(Clone, Copy, Debug)]
struct Sky {
    weather: Weather,
    /// Connections that are older than the last cut are over.
    cuts: u64,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    open: AtomicU64,
    cut: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
}

impl Proxy {
    /// A proxy before the server at this address (`http://`, host, port).
    pub async fn start(server: &str) -> Self {
        Self::begin(server, None).await
    }

    /// One that speaks TLS with the clients, as the protocol wants it on a network.
    pub async fn start_tls(server: &str, acceptor: TlsAcceptor) -> Self {
        Self::begin(server, Some(acceptor)).await
    }

    async fn begin(server: &str, acceptor: Option<TlsAcceptor>) -> Self {
        let server = server.strip_prefix("http://").expect("a server's address").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sky = watch::Sender::new(Sky { weather: Weather::Clear, cuts: 0 });
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, server, acceptor, sky.clone(), Arc::clone(&counts)));
        Self { port, sky, counts, _tasks: tasks }
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it is, for a client without TLS.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes the weather, over the open connections too.
    pub fn set(&self, weather: Weather) {
        self.sky.send_modify(|sky| sky.weather = weather);
    }

    /// Cuts all connections that are open.
    pub fn cut(&self) {
        self.sky.send_modify(|sky| sky.cuts += 1);
    }

    /// How many connections clients have made.
    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// How many of them are open.
    pub fn open(&self) -> u64 {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How many connections the weather has cut.
    pub fn weather_cuts(&self) -> u64 {
        self.counts.cut.load(Ordering::Relaxed)
    }

    /// How many bytes of the clients, in the clear, have been taken for the server.
    pub fn to_server(&self) -> u64 {
        self.counts.to_server.load(Ordering::Relaxed)
    }

    /// How many bytes of the server have been taken for the clients.
    pub fn to_client(&self) -> u64 {
        self.counts.to_client.load(Ordering::Relaxed)
    }
}

async fn listen(
    listener: TcpListener,
    server: String,
    acceptor: Option<TlsAcceptor>,
    sky: watch::Sender<Sky>,
    counts: Arc<Counts>,
) {
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a descriptor for a connection");
        let number = counts.connections.fetch_add(1, Ordering::Relaxed);
        let (server, acceptor) = (server.clone(), acceptor.clone());
        let (sky, counts) = (sky.subscribe(), Arc::clone(&counts));
        connections.spawn(async move {
            counts.open.fetch_add(1, Ordering::Relaxed);
            connect(client, &server, acceptor, sky, &counts, number).await;
            counts.open.fetch_sub(1, Ordering::Relaxed);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(
    client: TcpStream,
    server: &str,
    acceptor: Option<TlsAcceptor>,
    sky: watch::Receiver<Sky>,
    counts: &Counts,
    number: u64,
) {
    // Small frames must not wait for each other: what is late here is late on purpose.
    drop(client.set_nodelay(true));
    match acceptor {
        None => carry(client, server, sky, counts, number).await,
        // A handshake that fails is the client's word on the certificate.
        Some(acceptor) => {
            if let Ok(client) = acceptor.accept(client).await {
                carry(client, server, sky, counts, number).await;
            }
        }
    }
}

/// Carries both ways until one of them ends.
async fn carry(
    client: impl AsyncRead + AsyncWrite,
    server: &str,
    sky: watch::Receiver<Sky>,
    counts: &Counts,
    number: u64,
) {
    // A server that is down: the client sees a connection that ends at once.
    let Ok(server) = TcpStream::connect(server).await else { return };
    drop(server.set_nodelay(true));
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = server.into_split();
    let born = sky.borrow().cuts;
    let mut cut = sky.clone();
    tokio::select! {
        () = pipe::run(from_client, to_server, Way::ToServer, sky.clone(), counts, number) => {}
        () = pipe::run(from_server, to_client, Way::ToClient, sky, counts, number) => {}
        _ = cut.wait_for(|sky| sky.cuts > born) => {}
    }
}

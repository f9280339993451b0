//! TCP connections that can be ended from outside, and that end by themselves when the peer stops reading.
//!
//! socketioxide closes a socket by a packet in the socket's own queue, which a peer that doesn't read never gets to.

use crate::metrics::Metrics;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// A peer that takes nothing for this long is gone: clients notice a silent server as fast.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// Pause after a failed accept, which means that descriptors or memory have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts connections, without Nagle's delay.
pub struct Door {
    /// The bound socket.
    pub listener: TcpListener,
    /// Counts the connections that are open.
    pub open: TaskTracker,
    /// Shows their number.
    pub metrics: Arc<Metrics>,
}

impl Listener for Door {
    type Io = Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Stream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((tcp, peer)) => {
                    // A connection that has died meanwhile shows it on the first read.
                    let _ = tcp.set_nodelay(true);
                    return (Stream::new(tcp, self.open.token(), self.metrics.clone()), peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Bytes that a peer was sent and has not taken yet, framing aside.
#[derive(Clone, Debug, Default)]
pub struct Unread(Arc<AtomicUsize>);

impl Unread {
    /// Adds what is being sent, and says how much that makes.
    pub fn add(&self, bytes: usize) -> usize {
        self.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes)
    }

    /// Takes off what the peer's system has taken. Framing is written too, so that it may be more than was added.
    fn taken(&self, bytes: usize) {
        let less = |unread: usize| Some(unread.saturating_sub(bytes));
        // It always says how much less.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// What a request knows of its connection.
#[derive(Clone)]
pub struct Connection {
    end: CancellationToken,
    carries: Arc<Mutex<Option<Unread>>>,
}

impl Connection {
    /// Ends the connection at once, whatever it is doing.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// What the connection writes from now on is taken off this count.
    pub fn carry(&self, unread: Unread) {
        *self.carries.lock().unwrap_or_else(PoisonError::into_inner) = Some(unread);
    }
}

impl Connected<IncomingStream<'_, Door>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().connection.clone()
    }
}

/// One connection.
pub struct Stream {
    tcp: TcpStream,
    connection: Connection,
    // One each, because reader and writer are woken apart.
    read_end: Pin<Box<WaitForCancellationFutureOwned>>,
    write_end: Pin<Box<WaitForCancellationFutureOwned>>,
    stall: Option<Pin<Box<Sleep>>>,
    metrics: Arc<Metrics>,
    _open: TaskTrackerToken,
}

impl Stream {
    fn new(tcp: TcpStream, open: TaskTrackerToken, metrics: Arc<Metrics>) -> Self {
        let end = CancellationToken::new();
        metrics.connections.inc();
        Self {
            tcp,
            read_end: Box::pin(end.clone().cancelled_owned()),
            write_end: Box::pin(end.clone().cancelled_owned()),
            connection: Connection { end, carries: Arc::default() },
            stall: None,
            metrics,
            _open: open,
        }
    }

    /// Passes on a write's result, unless the connection was ended or has stalled.
    fn watch<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if self.write_end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if result.is_ready() {
            self.stall = None;
            return result;
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(WRITE_STALL)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// As [`Stream::watch`], and counts what was written.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &result
            && let Some(unread) = &*self.connection.carries.lock().unwrap_or_else(PoisonError::into_inner)
        {
            unread.taken(*bytes);
        }
        self.watch(context, result)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.metrics.connections.dec();
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_end.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.tcp).poll_flush(context);
        self.watch(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

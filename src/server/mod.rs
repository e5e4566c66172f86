//! Our own accept loop: one single-threaded runtime a core, each with its own
//! listener on the same port, deadlines and limits for every connection.
//!
//! `axum::serve` has no deadline for a request's head, and a runtime shared by
//! all cores is slower with many connections; ARCHITECTURE.md tells more.

mod connection;
mod limits;
mod patient;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use limits::Peer;

use crate::config;
use connection::serve_connection;
use limits::Limits;

/// Waiting connections that the kernel holds for a listener.
const BACKLOG: i32 = 4096;

/// Answers requests before the router is asked.
pub trait Front: Send + Sync {
    /// The answer to a GET or HEAD without a body, when it can be given at once.
    fn answer(&self, request: &http::request::Parts) -> Option<http::Response<axum::body::Body>>;
}

/// What answers: the front, and then the router.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) front: Arc<dyn Front>,
    pub(crate) router: Router,
}

/// Threads that answer requests.
#[derive(Debug)]
pub struct Server {
    /// Where they listen.
    pub address: SocketAddr,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Listens as `settings` say and answers with `front` and `router` until `stop`.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub fn start(
        settings: &config::Server,
        front: &Arc<dyn Front>,
        router: &Router,
        stop: &CancellationToken,
    ) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if settings.threads == 0 { cores } else { settings.threads };
        // With SO_REUSEPORT two programs could share an address, each answering half of
        // the requests: one socket without it finds out whether it is taken.
        drop(plain(settings.listen)?);
        let first = listen(settings.listen)?;
        let address = first.local_addr()?;
        let mut listeners = vec![first];
        for _ in 1..count {
            listeners.push(listen(address)?);
        }
        let limits = Arc::new(Limits::new(settings));
        let mut threads = Vec::with_capacity(count);
        for (number, listener) in listeners.into_iter().enumerate() {
            let answers = Answers { front: Arc::clone(front), router: router.clone() };
            let stop = stop.clone();
            let (limits, settings) = (Arc::clone(&limits), settings.clone());
            let thread = std::thread::Builder::new().name(format!("serve-{number}"));
            threads.push(thread.spawn(move || run(listener, answers, &settings, &limits, &stop))?);
        }
        Ok(Self { address, threads })
    }

    /// Waits for the threads to end, after a stop.
    pub async fn join(self) {
        let join = || self.threads.into_iter().for_each(|thread| drop(thread.join()));
        // A panic in a thread was printed there.
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

fn listen(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A socket on `address` that shares it with nobody; it does not listen.
fn plain(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn run(
    listener: std::net::TcpListener,
    answers: Answers,
    settings: &config::Server,
    limits: &Arc<Limits>,
    stop: &CancellationToken,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .expect("a runtime needs only a few descriptors");
    let accept = accept(listener, answers, settings, limits, stop);
    if let Err(error) = tokio::task::LocalSet::new().block_on(&runtime, accept) {
        tracing::error!(%error, "cannot accept connections");
        stop.cancel();
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn accept(
    listener: std::net::TcpListener,
    answers: Answers,
    settings: &config::Server,
    limits: &Arc<Limits>,
    stop: &CancellationToken,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let graceful = GracefulShutdown::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, address)) => {
                let Some(place) = limits.admit(address.ip().to_canonical()) else { continue };
                serve_connection(stream, address, &answers, settings, place, &graceful);
            }
            // Out of descriptors: wait for some to close. Others are the peer's own.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let grace = Duration::from_millis(settings.grace_ms);
    // Those that take longer are cut.
    let _ = tokio::time::timeout(grace, graceful.shutdown()).await;
    Ok(())
}

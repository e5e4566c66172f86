//! Our own accept loop: one single-threaded runtime a core, each with its own
//! listener on the same port, deadlines and limits for every connection.
//!
//! `axum::serve` has no deadline for a request's head, and a runtime shared by
//! all cores is slower with many connections; ARCHITECTURE.md tells more.

mod connection;
mod guarded;
mod http;
mod kind;
mod limits;
mod listen;
mod load;
mod patient;
mod peer;
mod quick;
mod rates;
mod redirect;
mod request;
mod rewound;
mod streams;
mod tls;

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderValue, Method};
use axum::Router;
use hyper_util::server::conn::auto;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use kind::Kind;
pub use load::{Busy, Load, Place};
pub use peer::Peer;
pub use rates::{Rates, TooOften};
pub use request::{Refused, Secure};
pub use tls::Tls;

use crate::app::App;
use crate::deliver::{Fields, Reply};
use limits::Limits;

/// Pause after a connection could not be accepted: out of descriptors, some must close first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers requests before the router is asked.
pub trait Front: Send + Sync {
    /// The answer to `request`, when it can be given at once.
    fn answer(&self, request: &Request<'_>) -> Option<Reply>;
}

/// A GET or HEAD without a body.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Which of the two.
    pub method: &'a Method,
    /// Path, without the query.
    pub path: &'a str,
    /// Fields of its head.
    pub fields: Fields<'a>,
}

/// What answers: the front, and then the router.
#[derive(Clone)]
pub struct Answers {
    /// Asked first.
    pub front: Arc<dyn Front>,
    /// Asked for everything else.
    pub router: Router,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answers(…)")
    }
}

/// Threads that answer requests.
#[derive(Debug)]
pub struct Server {
    /// Where they listen.
    pub address: SocketAddr,
    /// Where plain HTTP is redirected.
    pub redirect_address: Option<SocketAddr>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

/// What the connections of a thread share.
struct Edge {
    app: App,
    answers: Answers,
    tls: Option<Tls>,
    http: auto::Builder<http::Local>,
    /// Value of `Strict-Transport-Security` (RFC 6797 section 6.1).
    hsts: Option<HeaderValue>,
    /// Where we listen.
    port: u16,
    /// The app's, for this thread alone: connections look at it with every request.
    stop: CancellationToken,
}

impl Server {
    /// Listens as the settings of `app` say and answers with `answers` until its stop.
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on.
    pub fn start(app: &App, answers: &Answers, tls: Option<&Tls>) -> std::io::Result<Self> {
        let settings = &app.config.server;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if settings.threads == 0 { cores } else { settings.threads };
        let listeners = listen::listen(settings.listen, count)?;
        let address = listeners[0].local_addr()?;
        // Redirects are few and cheap: the first thread does them.
        let redirect = settings.redirect_address().map(|address| listen::listen(address, 1));
        let mut redirect = redirect.transpose()?.and_then(|mut listeners| listeners.pop());
        let redirect_address = redirect.as_ref().map(TcpListener::local_addr).transpose()?;
        let limits = Arc::new(Limits::new(settings));
        let mut threads = Vec::with_capacity(count);
        for (number, listener) in listeners.into_iter().enumerate() {
            let (app, answers, tls) = (app.clone(), answers.clone(), tls.cloned());
            let (limits, redirect) = (Arc::clone(&limits), redirect.take());
            let thread = std::thread::Builder::new().name(format!("serve-{number}"));
            let run = move || {
                let edge = Edge::new(app, answers, tls, address.port());
                run(listener, redirect, edge, &limits);
            };
            threads.push(thread.spawn(run)?);
        }
        Ok(Self { address, redirect_address, threads })
    }

    /// Waits for the threads to end, after a stop.
    pub async fn join(self) {
        let join = || self.threads.into_iter().for_each(|thread| drop(thread.join()));
        // A panic in a thread was printed there.
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

impl Edge {
    fn new(app: App, answers: Answers, tls: Option<Tls>, port: u16) -> Self {
        let settings = &app.config.server;
        let http = http::builder(settings);
        let seconds = settings.hsts_seconds;
        let hsts = (seconds > 0).then(|| HeaderValue::from_str(&format!("max-age={seconds}")));
        let hsts = hsts.and_then(Result::ok);
        let stop = app.stop.child_token();
        Self { app, answers, tls, http, hsts, port, stop }
    }
}

fn run(listener: TcpListener, redirect: Option<TcpListener>, edge: Edge, limits: &Arc<Limits>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .expect("a runtime needs only a few descriptors");
    let edge = Rc::new(edge);
    let serving = tokio::task::LocalSet::new();
    if let Err(error) = serving.block_on(&runtime, serve(listener, redirect, &edge, limits)) {
        tracing::error!(%error, "cannot accept connections");
        edge.app.stop.cancel();
    }
    // Connections that took too long hold their share of it.
    drop(serving);
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn serve(
    listener: TcpListener,
    redirect: Option<TcpListener>,
    edge: &Rc<Edge>,
    limits: &Arc<Limits>,
) -> std::io::Result<()> {
    let open = TaskTracker::new();
    let redirecting = async {
        let Some(listener) = redirect else { return Ok(()) };
        accept(listener, edge, limits, |stream, _, place| {
            open.spawn_local(redirect::serve_connection(stream, Rc::clone(edge), place));
        })
        .await
    };
    let answering = accept(listener, edge, limits, |stream, address, place| {
        let serving = connection::serve_connection(stream, address, Rc::clone(edge), place);
        open.spawn_local(serving);
    });
    tokio::try_join!(answering, redirecting)?;
    open.close();
    let grace = Duration::from_millis(edge.app.config.server.grace_ms);
    // Those that take longer are cut.
    let _ = tokio::time::timeout(grace, open.wait()).await;
    Ok(())
}

/// Accepts connections until the stop.
async fn accept(
    listener: TcpListener,
    edge: &Rc<Edge>,
    limits: &Arc<Limits>,
    serve: impl Fn(tokio::net::TcpStream, SocketAddr, limits::Place),
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut failing = false;
    while let Some(accepted) = edge.app.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, address)) => {
                failing = false;
                // One too many is closed without a word: the cheapest there is.
                if let Some(place) = limits.admit(address.ip().to_canonical()) {
                    serve(stream, address, place);
                }
            }
            // Out of descriptors, or the peer's own trouble.
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "cannot accept connections");
                }
                failing = true;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    Ok(())
}

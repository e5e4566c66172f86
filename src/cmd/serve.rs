//! `duoku serve` and `duoku work`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{open, print_line};
use crate::app::App;
use crate::config::Config;
use crate::server::{Answers, Server, Tls};
use crate::{api, batch, ingest};

/// Answers requests.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Leave the work on uploads to `duoku work`.
    #[arg(long)]
    no_work: bool,
}

impl Serve {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let signals = Signals::listen()?;
        api::start_metrics();
        let app = open(config).await?;
        let router = api::router(&app)?;
        let tls = Tls::open(&app.config)?;
        let listen = app.config.server.listen;
        let answers = Answers { front: api::front(&app), router };
        let server = Server::start(&app, &answers, tls.as_ref())
            .with_context(|| format!("cannot listen on {listen}"))?;
        let certificates = tls.clone().map(|tls| {
            let stop = app.stop.clone();
            tokio::spawn(async move { tls.follow(&stop).await })
        });
        let keys = app.clone();
        let keys = tokio::spawn(async move { keys.ticket_keys.follow(&keys.db, &keys.stop).await });
        let load = app.clone();
        let load = tokio::spawn(async move { load.load.watch(&load.stop).await });
        let index = tokio::spawn(ingest::index::follow(app.clone()));
        let records = tokio::spawn(ingest::records::follow(app.clone()));
        let counted = tokio::spawn(ingest::counted::follow(app.clone()));
        let batches = tokio::spawn(batch::apply::follow(app.clone()));
        let workers = match self.no_work {
            // Uploads leave something here too.
            true => tokio::spawn(ingest::worker::sweep_abandoned(app.clone())),
            false => start_workers(&app),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        print_line(&format!("多库已启动 duoku is ready: {scheme}://{}", server.address));
        if let Some(path) = super::account::setup_path(&app).await? {
            print_line(&format!(
                "首次使用请打开此链接设置管理员 admin 的密码 Choose the password of admin: {scheme}://{}{path}",
                server.address
            ));
        }
        signals.wait(&app).await;
        server.join().await;
        load.await?;
        keys.await?;
        if let Some(certificates) = certificates {
            certificates.await?;
        }
        index.await?;
        records.await?;
        counted.await?;
        batches.await?;
        ingest::counted::write_down(&app).await;
        workers.await?;
        app.db.close().await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Works on uploads until the program is stopped.
pub(super) async fn work(config: Config) -> anyhow::Result<ExitCode> {
    let signals = Signals::listen()?;
    let app = open(config).await?;
    let workers = start_workers(&app);
    signals.wait(&app).await;
    workers.await?;
    app.db.close().await;
    Ok(ExitCode::SUCCESS)
}

fn start_workers(app: &App) -> tokio::task::JoinHandle<()> {
    let (work, harvest) = (ingest::worker::run(app.clone()), ingest::harvest::follow(app.clone()));
    tokio::spawn(async move {
        tokio::join!(work, harvest);
    })
}

/// What asks the program to stop; listened for from the start, so that it is never killed by it.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until the program is to stop, and says so to all of it.
    async fn wait(mut self, app: &App) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = app.stop.cancelled() => {}
        }
        tracing::info!("stopping");
        app.stop.cancel();
    }
}

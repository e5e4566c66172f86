//! The command line: one file for each command.

mod account;
mod audit;
mod check;
mod compare;
mod course;
mod duplicates;
mod harvest;
mod identity;
mod import;
mod jobs;
mod library;
mod media;
mod metadata;
mod organisation;
mod people;
mod recognise;
mod reindex;
mod renditions;
mod serve;
mod store;
mod ticket;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::config::{Config, LogFormat};

/// 多库：学习资源库与流媒体服务。 A learning repository and streaming server.
#[derive(Debug, Parser)]
#[command(name = "duoku", version)]
struct Cli {
    /// File with settings; see config/duoku.toml for all of them.
    #[arg(long, global = true, env = "DUOKU_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answers requests and works on uploads.
    Serve(serve::Serve),
    /// Works on uploads only.
    Work,
    /// Takes files and folders into a library.
    Import(import::Import),
    /// Writes the resources of a library into a table.
    Export(metadata::ExportTable),
    /// What is said about resources.
    #[command(subcommand)]
    Metadata(metadata::Metadata),
    /// Repositories whose records are taken.
    #[command(subcommand)]
    Harvest(harvest::Harvest),
    /// Work that waits, runs or failed.
    Jobs(jobs::Jobs),
    /// Accounts.
    #[command(subcommand)]
    User(account::User),
    /// API tokens.
    #[command(subcommand)]
    Token(account::Token),
    /// Accounts from elsewhere (OpenID Connect).
    #[command(subcommand)]
    Identity(identity::IdentityCommand),
    /// Links to media that is not public.
    #[command(subcommand)]
    Ticket(ticket::Ticket),
    /// Organisations that own libraries.
    #[command(subcommand)]
    Organisation(organisation::OrganisationCommand),
    /// Libraries.
    #[command(subcommand)]
    Library(library::LibraryCommand),
    /// Courses.
    #[command(subcommand)]
    Course(course::CourseCommand),
    /// The log of all changes.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Brings the database to this version.
    Migrate,
    /// Builds the search index anew, beside the one in use.
    Reindex,
    /// Has the text in pictures read that was not read when they were taken in.
    Recognise(recognise::Recognise),
    /// Compares rows, objects and index, both ways.
    Check(check::Check),
    /// What is the same in several resources.
    Duplicates(duplicates::Duplicates),
    /// What is kept of videos and sound, what is not made, and what that saves.
    Renditions(renditions::Renditions),
    /// Where the objects are.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Tools for media files.
    Media(media::Media),
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    // The media child comes first: its sandbox needs a process with one thread.
    if std::env::args().skip(1).eq(["media".to_owned(), "child".to_owned()]) {
        return ExitCode::from(crate::media::child::run());
    }
    #[cfg(feature = "failpoints")]
    let _scenario = crate::fault::set_up();
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprint_line(&format!("duoku: {}", chain(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::Media(media) = &cli.command {
        return media.run();
    }
    let config = Config::load(cli.config.as_deref(), std::env::vars())?;
    let serves = matches!(cli.command, Command::Serve(_) | Command::Work);
    start_log(&config, serves)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve.run(config).await,
            Command::Work => serve::work(config).await,
            Command::Import(import) => Box::pin(import.run(open(config).await?)).await,
            Command::Export(export) => export.run(open(config).await?).await,
            Command::Metadata(metadata) => metadata.run(open(config).await?).await,
            Command::Harvest(harvest) => harvest.run(open(config).await?).await,
            Command::Jobs(jobs) => jobs.run(open(config).await?).await,
            Command::User(user) => user.run(open(config).await?).await,
            Command::Token(token) => token.run(open(config).await?).await,
            Command::Identity(identity) => identity.run(open(config).await?).await,
            Command::Ticket(ticket) => ticket.run(open(config).await?).await,
            Command::Organisation(organisation) => organisation.run(open(config).await?).await,
            Command::Library(library) => library.run(open(config).await?).await,
            Command::Course(course) => course.run(open(config).await?).await,
            Command::Audit(audit) => audit.run(open(config).await?).await,
            Command::Migrate => {
                open(config).await?;
                print_line("数据库已是最新版本 The database is up to date");
                Ok(ExitCode::SUCCESS)
            }
            Command::Reindex => reindex::run(open(config).await?).await,
            Command::Recognise(recognise) => recognise.run(open(config).await?).await,
            Command::Check(check) => check.run(open(config).await?).await,
            Command::Duplicates(duplicates) => duplicates.run(config).await,
            Command::Renditions(renditions) => renditions.run(open(config).await?).await,
            Command::Store(store) => store.run(open(config).await?).await,
            Command::Media(_) => unreachable!("ran above"),
        }
    })
}

/// Opens the installation, making what a first start needs.
async fn open(config: Config) -> anyhow::Result<App> {
    let app = App::open(config).await?;
    account::first_start(&app).await?;
    Ok(app)
}

/// A command that answers and ends tells what it found itself: only warnings are logged.
fn start_log(config: &Config, serves: bool) -> anyhow::Result<()> {
    let level = if serves { config.log.level.as_str() } else { "warn" };
    let filter =
        EnvFilter::try_new(level).with_context(|| format!("log.level: {:?}", config.log.level))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

fn chain(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Many errors tell their cause themselves.
        if !lines.last().is_some_and(|line| line.contains(&text)) {
            lines.push(text);
        }
    }
    lines.join(": ")
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn print_line(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "what a command says beside its answer")]
fn eprint_line(text: &str) {
    eprintln!("{text}");
}

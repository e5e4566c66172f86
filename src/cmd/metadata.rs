//! `duoku export` and `duoku metadata import`: resources as tables.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use futures::TryStreamExt as _;

use super::account::find;
use super::print_line;
use crate::api::{REPORT_HEAD, chain, report_lines, sentence};
use crate::app::App;
use crate::batch::columns::Words;
use crate::batch::export::Export;
use crate::batch::plan::{self, Options};
use crate::batch::which::{self, Which};
use crate::batch::{self, apply, read};
use crate::catalogue::{Caller, Outcome, Stage};
use crate::db;
use crate::pages::Lang;
use crate::table::Csv;

/// Rows of a batch that are read at a time.
const SOME: i64 = 500;

/// Writes the resources of a library into a table that `duoku metadata import` takes.
#[derive(Debug, Args)]
pub(super) struct ExportTable {
    /// Slug of the library.
    #[arg(long)]
    library: String,
    /// The table: its name ends in .csv or .xlsx.
    #[arg(long)]
    out: PathBuf,
    /// Only those in this stage: ready, published, withdrawn, …
    #[arg(long)]
    stage: Option<String>,
    /// Headings and values of lists as codes, for programs.
    #[arg(long)]
    codes: bool,
    /// With whose rights.
    #[arg(long, default_value = "admin")]
    user: String,
}

impl ExportTable {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let name = self.out.display().to_string();
        let ending = self.out.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if let Some(stage) = &self.stage {
            stage.parse::<Stage>()?;
        }
        let mut tx = app.db.begin().await?;
        let caller = Caller(Some(find(&mut tx, &self.user).await?));
        let library = super::account::find_library(&mut tx, &self.library).await?;
        let which = Which {
            library: Some(library.slug.to_string()),
            stage: self.stage,
            ..Which::default()
        };
        let filter = which::editable(&mut tx, &caller, &which).await?;
        drop(tx);
        let words = if self.codes { Words::Codes } else { Words::In(Lang::Zh) };
        let export = Export::begin(&app, &caller, filter, true, words).await?;
        match ending.as_str() {
            "csv" => {
                let mut out = File::create(&self.out).with_context(|| name.clone())?;
                let mut pieces = std::pin::pin!(export.csv());
                while let Some(piece) = pieces.try_next().await? {
                    out.write_all(&piece).with_context(|| name.clone())?;
                }
                out.sync_all()?;
            }
            "xlsx" => {
                let mut made = export.xlsx().await?;
                let mut out = File::create(&self.out).with_context(|| name.clone())?;
                std::io::copy(&mut made, &mut out).with_context(|| name.clone())?;
                out.sync_all()?;
            }
            _ => bail!("{name}: must end in .csv or .xlsx"),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is said about resources.
#[derive(Debug, Subcommand)]
pub(super) enum Metadata {
    /// Changes resources as a table says, which finds them by their ids.
    Import(ImportTable),
}

#[derive(Debug, Args)]
pub(super) struct ImportTable {
    /// CSV (UTF-8 or GB 18030) or XLSX, as `duoku export` writes it.
    table: PathBuf,
    /// Say what would be changed, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Change also what somebody changed since the table was exported.
    #[arg(long)]
    overwrite: bool,
    /// With whose rights.
    #[arg(long, default_value = "admin")]
    user: String,
    /// Write what becomes of every row into this file (CSV).
    #[arg(long)]
    report: Option<PathBuf>,
}

impl Metadata {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let Self::Import(import) = self;
        import.run(app).await
    }
}

impl ImportTable {
    async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let path = self.table.display().to_string();
        let bytes = std::fs::read(&self.table).with_context(|| path.clone())?;
        let account = find(&mut app.db.begin().await?, &self.user).await?;
        let caller = Caller(Some(account));
        let name = self.table.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let options = Options { name, overwrite: self.overwrite };
        let batch = async {
            let grid = read::read(&app, bytes).await?;
            plan::of_table(&app, &caller, grid, &options).await
        };
        let batch = batch.await.map_err(|error| anyhow::anyhow!("{path}: {}", told(&error)))?;
        if !self.dry_run {
            apply::run(&app, &batch.id).await?;
        }
        for code in &batch.notes {
            print_line(&sentence(Lang::Zh, code, ""));
        }
        let counts = self.tell(&app, &batch.id).await?;
        let words: Vec<String> =
            counts.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
        print_line(&format!(
            "共 rows {}，未变 unchanged {}{}{}",
            batch.total,
            batch.unchanged,
            if words.is_empty() { "" } else { "，" },
            words.join("，")
        ));
        let bad = ["refused", "failed"].iter().any(|outcome| counts.contains_key(outcome));
        Ok(if bad { ExitCode::from(2) } else { ExitCode::SUCCESS })
    }

    /// Tells of rows: all changes of a dry run, else only what was not made; counts them.
    async fn tell(&self, app: &App, id: &str) -> anyhow::Result<BTreeMap<&'static str, usize>> {
        let mut report = self.report.as_deref().map(begin_report).transpose()?;
        let (mut counts, mut after) = (BTreeMap::new(), 0);
        loop {
            let mut db = app.db.read().await?;
            let rows = db::batches::rows(&mut db, id, None, after, SOME).await?;
            drop(db);
            let Some(last) = rows.last() else { break };
            after = last.number;
            for row in &rows {
                *counts.entry(row.outcome.as_str()).or_default() += 1;
                let made = matches!(row.outcome, Outcome::Done | Outcome::HandedIn);
                for line in report_lines(Lang::Zh, row.clone()) {
                    if !made {
                        print_line(&line.join("\t"));
                    }
                    if let Some(report) = &mut report {
                        report.row(&line)?;
                    }
                }
            }
        }
        if let Some(report) = report {
            report.end()?.sync_all()?;
        }
        Ok(counts)
    }
}

fn begin_report(path: &Path) -> anyhow::Result<Csv<File>> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut csv = Csv::begin(file)?;
    csv.row(&REPORT_HEAD)?;
    Ok(csv)
}

/// Why a table is not taken, in words.
fn told(error: &batch::Error) -> String {
    match error {
        batch::Error::Table { code, info } => sentence(Lang::Zh, code, info),
        batch::Error::Ingest(error) if !error.is_transient() => {
            let (code, info) = error.reason();
            sentence(Lang::Zh, &code, &info)
        }
        error => chain(error),
    }
}

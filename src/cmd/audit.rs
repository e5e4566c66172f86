//! `duoku audit`.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::print_line;
use crate::app::App;
use crate::db::{self, audit};

/// Rows read at a time.
const BATCH: i64 = 10_000;

/// The log of all changes.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Follows the chain from the first row to the last, and prints number and hash of the last:
    /// kept elsewhere, they show later that nothing before was changed or cut off.
    Verify {
        /// What an earlier run printed, as NUMBER:HASH.
        #[arg(long)]
        noted: Vec<String>,
    },
    /// Prints the rows as JSON lines.
    Export {
        /// Only rows after this number.
        #[arg(long, default_value_t = 0)]
        after: i64,
    },
}

impl Audit {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify { noted } => verify(&app, &noted).await,
            Self::Export { after } => export(&app, after).await,
        }
    }
}

async fn verify(app: &App, noted: &[String]) -> anyhow::Result<ExitCode> {
    let noted = noted.iter().map(|text| note(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut db = app.db.read().await?;
    let mut chain = audit::Chain::default();
    let mut expected = i64::MAX;
    // Rows are added meanwhile, each with its number.
    while chain.head().0 < expected {
        let entries = audit::list_after(&mut db, chain.head().0, BATCH).await?;
        if entries.is_empty() && expected < i64::MAX {
            break;
        }
        if entries.is_empty() {
            expected = audit::last_number(&mut db).await?;
        }
        for entry in &entries {
            chain.take(entry)?;
            if noted.iter().any(|(number, hash)| *number == entry.number && *hash != entry.hash) {
                return Err(audit::Fault::NotAsNoted(entry.number).into());
            }
        }
    }
    let (number, hash) = chain.head();
    if let Some((expected, _)) = noted.iter().find(|(noted, _)| *noted > number) {
        return Err(audit::Fault::End { expected: *expected, found: number }.into());
    }
    chain.end(expected)?;
    print_line(&format!("{number}:{hash}"));
    Ok(ExitCode::SUCCESS)
}

fn note(text: &str) -> anyhow::Result<(i64, String)> {
    let (number, hash) = text.split_once(':').context("NUMBER:HASH")?;
    if hash.len() != 64 {
        bail!("{hash:?} is no hash");
    }
    Ok((number.parse().with_context(|| format!("{number:?} is no number"))?, hash.to_owned()))
}

async fn export(app: &App, after: i64) -> anyhow::Result<ExitCode> {
    let mut db = app.db.read().await?;
    let mut after = after;
    loop {
        let entries = db::audit::list_after(&mut db, after, BATCH).await?;
        let Some(last) = entries.last() else { break };
        after = last.number;
        for entry in &entries {
            print_line(&serde_json::to_string(entry)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

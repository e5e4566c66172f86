//! `duoku jobs`: the work that waits, runs or failed, and what can be done about it.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::print_line;
use crate::api::{JOB_STATES, JobView, sentence};
use crate::app::App;
use crate::catalogue::{ResourceId, RuleError};
use crate::db;
use crate::db::jobs::{Filter, JobRow};
use crate::ingest::disk;
use crate::ingest::stage::{self, Action};
use crate::pages::Lang;

/// Rows that are read at once.
const PAGE: i64 = 1000;

/// The most by which a resource is moved.
const MOST: i64 = 1000;

/// Work that waits, runs or failed.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Jobs {
    /// Answer in JSON, an object a line.
    #[arg(long)]
    json: bool,
    /// Those that are done too.
    #[arg(long)]
    all: bool,
    /// Only those in this state.
    #[arg(long, value_parser = PossibleValuesParser::new(JOB_STATES))]
    state: Option<String>,
    /// Only those of this resource.
    #[arg(long)]
    resource: Option<String>,
    #[command(subcommand)]
    command: Option<JobsCommand>,
}

#[derive(Debug, Subcommand)]
enum JobsCommand {
    /// Stops the processing of a resource and forgets what was made.
    Cancel {
        /// Its id.
        resource: String,
    },
    /// Processes a resource again that failed or was cancelled.
    Retry {
        /// Its id.
        resource: String,
    },
    /// Lets a resource come sooner (less than 0) or later than it would by itself (0).
    #[command(allow_negative_numbers = true)]
    Priority {
        /// Its id.
        resource: String,
        /// Added to the priority of each of its jobs; parts of a video have their number, 10 on.
        n: i64,
    },
}

impl Jobs {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        match &self.command {
            None => self.list(&app).await?,
            Some(JobsCommand::Cancel { resource }) => act(&app, resource, Action::Cancel).await?,
            Some(JobsCommand::Retry { resource }) => act(&app, resource, Action::Retry).await?,
            Some(JobsCommand::Priority { resource, n }) => {
                if !(-MOST..=MOST).contains(n) {
                    bail!("{n} is not from -{MOST} to {MOST}");
                }
                let mut tx = app.db.begin().await?;
                if !db::jobs::set_urgency(&mut tx, id_of(resource)?, *n).await? {
                    bail!("there is no resource {resource}");
                }
                tx.commit().await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn list(&self, app: &App) -> anyhow::Result<()> {
        let resource = self.resource.as_deref().map(id_of).transpose()?;
        let filter = Filter { state: self.state.clone(), all: self.all, resource, words: None };
        let mut after = String::new();
        loop {
            let mut db = app.db.read().await?;
            let rows = db::jobs::list_all(&mut db, &filter, &after, (0, PAGE)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            let now_ms = app.now_ms();
            let short = disk::makes_wait(&mut db, now_ms).await?;
            drop(db);
            for row in rows {
                print_line(&self.line(row, short, now_ms)?);
            }
        }
    }

    fn line(&self, row: JobRow, short: bool, now_ms: i64) -> anyhow::Result<String> {
        let (age_ms, wait_ms) = (now_ms - row.created_ms, row.run_at_ms - now_ms);
        let job = JobView::of(row, short, now_ms);
        if self.json {
            return Ok(serde_json::to_string(&job)?);
        }
        let state = match job.waits_for {
            Some("disk") => "waiting: disk is short".to_owned(),
            Some(_) => format!("waiting: {}", brief(wait_ms)),
            None => job.state,
        };
        let tidy = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(format!(
            "{}\t{}\t{}\t{state}\t{:.0}%\t{}\t{}\t{}\t{}",
            job.resource,
            job.library,
            job.step,
            (job.progress * 100.0).floor(),
            job.attempts,
            brief(age_ms),
            tidy(&job.title),
            tidy(&job.error.unwrap_or_default()),
        ))
    }
}

async fn act(app: &App, resource: &str, action: Action) -> anyhow::Result<()> {
    let id = id_of(resource)?;
    if db::resources::find(&mut *app.db.read().await?, id).await?.is_none() {
        bail!("there is no resource {resource}");
    }
    match stage::apply(app, id, None, action).await? {
        Ok(_) => Ok(()),
        Err(RuleError::WrongStage(stage)) => {
            let stage = crate::pages::stage_word(Lang::En, stage);
            bail!("{}", sentence(Lang::En, "conflict", stage))
        }
        Err(rule) => Err(rule.into()),
    }
}

fn id_of(text: &str) -> anyhow::Result<ResourceId> {
    text.parse().with_context(|| format!("{text:?} is not the id of a resource"))
}

/// A time in its largest unit.
fn brief(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_brief() {
        for (ms, said) in [(-5, "0 s"), (59_999, "59 s"), (61_000, "1 min"), (90_000_000, "1 d")] {
            assert_eq!(brief(ms), said);
        }
    }
}

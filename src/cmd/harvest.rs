//! `duoku harvest`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::print_line;
use crate::app::App;
use crate::catalogue::{Caller, HarvestSource, SourceId};
use crate::pages::Lang;
use crate::{api, db, ingest};

/// Repositories that are harvested.
#[derive(Debug, Subcommand)]
pub(super) enum Harvest {
    /// Adds a repository.
    Add {
        /// Base URL of its OAI-PMH.
        url: String,
        /// Slug of the library that shows its records.
        #[arg(long)]
        library: String,
        /// Shown as the home of its records; its host when left out.
        #[arg(long, default_value = "")]
        name: String,
        /// oai_dc or lom.
        #[arg(long, default_value = "oai_dc")]
        prefix: String,
        /// Of this set only.
        #[arg(long, default_value = "")]
        set: String,
        /// From one harvest's end to the next; 0: only when asked.
        #[arg(long, default_value_t = 24)]
        every_hours: i64,
        /// What is put in where a record says nothing, JSON: docs/exchange.md.
        #[arg(long, default_value = "{}")]
        mapping: String,
    },
    /// Lists them with how far they are.
    List,
    /// Harvests now, to the end, and says what came of it.
    Run {
        /// Id of a source.
        id: String,
        /// All records, as if for the first time: what is not there any more is removed.
        #[arg(long)]
        all: bool,
    },
    /// Removes a repository and all that came from it.
    Remove {
        /// Id of a source.
        id: String,
    },
}

impl Harvest {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add { url, library, name, prefix, set, every_hours, mapping } => {
                let mapping = serde_json::from_str(&mapping).context("--mapping")?;
                let new = api::NewSource {
                    url,
                    name,
                    prefix,
                    set,
                    library,
                    every_hours: Some(every_hours),
                    mapping,
                };
                let mut db = app.db.read().await?;
                let admin = db::accounts::find_by_name(&mut db, "admin", app.now_ms()).await?;
                drop(db);
                let caller = Caller(Some(admin.context("there is no account admin")?));
                let id = api::add_source(&app, &caller, new).await.map_err(anyhow::Error::from)?;
                print_line(&id.to_string());
            }
            Self::List => {
                for (source, records) in db::sources::list(&mut *app.db.read().await?).await? {
                    print_line(&line(&source, records));
                }
            }
            Self::Run { id, all } => return run(&app, &id, all).await,
            Self::Remove { id } => {
                let source = find(&app, &id).await?;
                ingest::harvest::remove_source(&app, source.id, None).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Harvests here, or watches the server that does.
async fn run(app: &App, id: &str, all: bool) -> anyhow::Result<ExitCode> {
    let before = find(app, id).await?;
    let mut tx = app.db.begin().await?;
    db::sources::ask(&mut tx, before.id, all, app.now_ms()).await?;
    tx.commit().await?;
    loop {
        let worked = ingest::harvest::turn(app).await?;
        let now = find(app, id).await?;
        if now.failures > before.failures
            && let Some((code, info)) = &now.error
        {
            bail!("{}", api::sentence(Lang::Zh, code, info));
        }
        if now.ended_ms > before.ended_ms {
            let all = db::sources::list(&mut *app.db.read().await?).await?;
            let records = all.iter().find(|(s, _)| s.id == now.id).map_or(0, |(_, n)| *n);
            print_line(&line(&now, records));
            return Ok(ExitCode::SUCCESS);
        }
        if !worked {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}

async fn find(app: &App, id: &str) -> anyhow::Result<HarvestSource> {
    let none = || format!("there is no source {id:?}; see duoku harvest list");
    let id: SourceId = id.parse().with_context(none)?;
    db::sources::find(&mut *app.db.read().await?, id).await?.with_context(none)
}

fn line(source: &HarvestSource, records: i64) -> String {
    let state = match (&source.error, &source.begun, source.ended_ms) {
        (Some((code, info)), ..) => api::sentence(Lang::Zh, code, info),
        (None, Some(_), _) => "正在收割 being harvested".to_owned(),
        (None, None, Some(_)) => "已完成 done".to_owned(),
        _ => "等待 waiting".to_owned(),
    };
    format!("{}\t{}\t{}\t{records}\t{state}", source.id, source.name, source.url)
}

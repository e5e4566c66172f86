//! `duoku organisation`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::print_line;
use crate::app::App;
use crate::catalogue::{DivisionCode, Level, Organisation};
use crate::db;
use crate::net::organisations::{self, Actor, named};

/// Organisations.
#[derive(Debug, Subcommand)]
pub(super) enum OrganisationCommand {
    /// Takes a table (CSV: code, name, level, parent, contact, place, longitude, latitude).
    Import {
        /// File.
        table: PathBuf,
        /// Says what would be done, and does nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Adds one.
    Add {
        /// Its name.
        name: String,
        /// Of its division: 6, 9 or 12 digits.
        #[arg(long)]
        code: Option<DivisionCode>,
        /// city, district, township or community; by the code when left out.
        #[arg(long)]
        level: Option<Level>,
        /// Code or id of who is above; by the code when left out.
        #[arg(long)]
        under: Option<String>,
    },
    /// Lists the tree.
    List,
    /// Puts one, and all below it, under another one.
    Move {
        /// Code or id.
        organisation: String,
        /// Code or id.
        #[arg(long)]
        under: String,
    },
    /// Merges one into another one, which gets its libraries, people and what is below it.
    Merge {
        /// Code or id.
        organisation: String,
        /// Code or id.
        #[arg(long)]
        into: String,
    },
    /// Closes one that has nothing any more.
    Close {
        /// Code or id.
        organisation: String,
    },
}

impl OrganisationCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let by = Actor { account: None, now_ms: app.now_ms() };
        let mut tx = app.db.begin().await?;
        match self {
            Self::Import { table, dry_run } => {
                let bytes = std::fs::read(&table).with_context(|| table.display().to_string())?;
                let done = organisations::import(&mut tx, &bytes, by)
                    .await
                    .with_context(|| table.display().to_string())?;
                print_line(&format!(
                    "新增 added {}，更改 changed {}，未变 unchanged {}",
                    done.added, done.changed, done.same
                ));
                if dry_run {
                    return Ok(ExitCode::SUCCESS);
                }
            }
            Self::Add { name, code, level, under } => {
                let above = code.as_ref().and_then(DivisionCode::above);
                let parent = match under.or(above.map(|code| code.to_string())) {
                    None => None,
                    Some(text) => Some(named(&mut tx, &text).await?),
                };
                let level = level.or(code.as_ref().map(DivisionCode::level));
                let level = level.context("--level or --code is needed")?;
                let organisation = Organisation {
                    code,
                    ..Organisation::new(parent.as_ref(), level, &name, by.now_ms)?
                };
                organisations::add(&mut tx, &organisation, by).await?;
                print_line(&organisation.id.to_string());
            }
            Self::List => {
                for organisation in db::organisations::list(&mut tx).await? {
                    print_line(&describe(&organisation));
                }
            }
            Self::Move { organisation, under } => {
                let organisation = named(&mut tx, &organisation).await?;
                let parent = named(&mut tx, &under).await?;
                organisations::move_to(&mut tx, &organisation, &parent, by).await?;
            }
            Self::Merge { organisation, into } => {
                let from = named(&mut tx, &organisation).await?;
                let into = named(&mut tx, &into).await?;
                organisations::merge(&mut tx, &from, &into, by).await?;
            }
            Self::Close { organisation } => {
                let organisation = named(&mut tx, &organisation).await?;
                organisations::close(&mut tx, &organisation, by).await?;
            }
        }
        tx.commit().await?;
        Ok(ExitCode::SUCCESS)
    }
}

fn describe(organisation: &Organisation) -> String {
    let code = organisation.code.as_ref().map_or("-", DivisionCode::as_str);
    let closed = if organisation.closed_ms.is_some() { "\tclosed" } else { "" };
    let indent = "  ".repeat(organisation.path.len().saturating_sub(1));
    let (id, level, name) = (organisation.id, organisation.level, &organisation.name);
    format!("{id}\t{code}\t{level}\t{indent}{name}{closed}")
}

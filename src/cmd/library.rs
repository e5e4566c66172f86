//! `duoku library`.

use std::process::ExitCode;

use clap::Subcommand;

use super::account::find_library;
use super::print_line;
use crate::app::App;
use crate::catalogue::{Library, LibraryId, Publishing, Visibility};
use crate::db;

/// Libraries.
#[derive(Debug, Subcommand)]
pub(super) enum LibraryCommand {
    /// Adds a library.
    Create {
        /// Its name in URLs.
        slug: String,
        /// Its name for people.
        #[arg(long)]
        name: String,
        /// What it is about.
        #[arg(long, default_value = "")]
        description: String,
        /// Only its people see it.
        #[arg(long)]
        internal: bool,
        /// What is ready is published without asking.
        #[arg(long)]
        publish_when_ready: bool,
        /// The most its sources may take together, bytes.
        #[arg(long)]
        quota_bytes: Option<i64>,
    },
    /// Lists libraries.
    List,
    /// Sets or lifts the quota.
    Quota {
        /// Slug.
        slug: String,
        /// Bytes; 0: no limit.
        bytes: i64,
    },
}

impl LibraryCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let mut tx = app.db.begin().await?;
        match self {
            Self::Create { slug, name, description, internal, publish_when_ready, quota_bytes } => {
                let library = Library {
                    id: LibraryId::fresh(),
                    slug: slug.parse()?,
                    name,
                    description,
                    visibility: if internal { Visibility::Internal } else { Visibility::Public },
                    publishing: if publish_when_ready {
                        Publishing::Automatic
                    } else {
                        Publishing::Manual
                    },
                    quota_bytes: quota_bytes.filter(|bytes| *bytes > 0),
                    created_ms: app.now_ms(),
                };
                db::libraries::insert(&mut tx, &library).await.map_err(|error| {
                    if error.is_taken() {
                        anyhow::anyhow!("the slug {slug:?} is taken")
                    } else {
                        error.into()
                    }
                })?;
            }
            Self::List => {
                for library in db::libraries::list(&mut tx).await? {
                    let used = db::libraries::used_bytes(&mut tx, library.id).await?;
                    let quota =
                        library.quota_bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
                    print_line(&format!("{}\t{}\t{used}\t{quota}", library.slug, library.name));
                }
            }
            Self::Quota { slug, bytes } => {
                let mut library = find_library(&mut tx, &slug).await?;
                library.quota_bytes = Some(bytes).filter(|bytes| *bytes > 0);
                db::libraries::save(&mut tx, &library).await?;
            }
        }
        tx.commit().await?;
        Ok(ExitCode::SUCCESS)
    }
}

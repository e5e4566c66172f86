//! `duoku library`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::account::find_library;
use super::print_line;
use crate::app::App;
use crate::catalogue::{Library, Publishing, Visibility};
use crate::db;
use crate::net::organisations::Actor;
use crate::net::{libraries, organisations};

/// Libraries.
#[derive(Debug, Subcommand)]
pub(super) enum LibraryCommand {
    /// Adds a library.
    Create {
        /// Its name in URLs.
        #[arg(required_unless_present = "from")]
        slug: Option<String>,
        /// Its name for people.
        #[arg(long, required_unless_present = "from")]
        name: Option<String>,
        /// Makes all libraries of a table instead (CSV: slug, name, owner, description,
        /// visibility, publishing, `quota_gb`).
        #[arg(long, conflicts_with_all = ["slug", "name", "owner"])]
        from: Option<PathBuf>,
        /// Code or id of the organisation whose it is.
        #[arg(long)]
        owner: Option<String>,
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
    /// Says how its videos and audios are made from now on.
    Set {
        /// Slug.
        slug: String,
        /// What pictures are made as: h264 (always), hevc, av1.
        #[arg(long, value_delimiter = ',')]
        codecs: Option<Vec<String>>,
        /// Whether sound is made as Opus too.
        #[arg(long)]
        opus: Option<bool>,
        /// How loud sound is made, LUFS (such as -16 or -23); 0: as loud as it is.
        #[arg(long, allow_negative_numbers = true)]
        loudness: Option<i32>,
    },
    /// Gives it to an organisation.
    Give {
        /// Slug.
        slug: String,
        /// Code or id of the organisation.
        #[arg(long)]
        owner: String,
    },
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
        let by = Actor { account: None, now_ms: app.now_ms() };
        let mut tx = app.db.begin().await?;
        match self {
            Self::Create { from: Some(table), .. } => {
                let bytes = std::fs::read(&table).with_context(|| table.display().to_string())?;
                let made = libraries::import(&mut tx, &bytes, by)
                    .await
                    .with_context(|| table.display().to_string())?;
                print_line(&format!("新建资源库 libraries made: {made}"));
            }
            Self::Create {
                slug,
                name,
                owner,
                description,
                internal,
                publish_when_ready,
                quota_bytes,
                ..
            } => {
                let owner = match owner {
                    None => None,
                    Some(owner) => Some(organisations::named(&mut tx, &owner).await?.id),
                };
                let slug = slug.unwrap_or_default().parse()?;
                let library = Library {
                    owner,
                    description,
                    visibility: if internal { Visibility::Internal } else { Visibility::Public },
                    publishing: if publish_when_ready {
                        Publishing::Automatic
                    } else {
                        Publishing::Manual
                    },
                    quota_bytes: quota_bytes.filter(|bytes| *bytes > 0),
                    ..Library::new(slug, &name.unwrap_or_default(), by.now_ms)
                };
                libraries::add(&mut tx, &library, by).await?;
            }
            Self::Give { slug, owner } => {
                let library = find_library(&mut tx, &slug).await?;
                let owner = organisations::named(&mut tx, &owner).await?;
                libraries::give(&mut tx, &library, &owner, by).await?;
            }
            Self::List => {
                for library in db::libraries::list(&mut tx).await? {
                    let used = db::libraries::used_bytes(&mut tx, library.id).await?;
                    let quota =
                        library.quota_bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
                    print_line(&format!("{}\t{}\t{used}\t{quota}", library.slug, library.name));
                }
            }
            Self::Set { slug, codecs, opus, loudness } => {
                let mut library = find_library(&mut tx, &slug).await?;
                let media = &mut library.media;
                if let Some(codecs) = codecs {
                    media.set_codecs(codecs.iter().map(String::as_str))?;
                }
                if let Some(lufs) = loudness {
                    media.set_loudness(lufs)?;
                }
                media.opus = opus.unwrap_or(media.opus);
                db::libraries::save(&mut tx, &library).await?;
                let detail = serde_json::to_value(&library.media)?;
                by.record(&mut tx, "edit-library", &library.id.to_string(), &detail).await?;
            }
            Self::Quota { slug, bytes } => {
                let mut library = find_library(&mut tx, &slug).await?;
                library.quota_bytes = Some(bytes).filter(|bytes| *bytes > 0);
                db::libraries::save(&mut tx, &library).await?;
                let detail = json!({ "quota_bytes": library.quota_bytes });
                by.record(&mut tx, "edit-library", &library.id.to_string(), &detail).await?;
            }
        }
        tx.commit().await?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `duoku library`.

use std::process::ExitCode;

use clap::Subcommand;

use super::account::find_library;
use super::print_line;
use crate::app::App;
use crate::catalogue::{Library, LibraryId, MediaPolicy, Publishing, Visibility};
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
                    media: MediaPolicy::default(),
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
                let id = library.id.to_string();
                let now_ms = app.now_ms();
                db::audit::record(&mut tx, now_ms, None, "edit-library", &id, &detail).await?;
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

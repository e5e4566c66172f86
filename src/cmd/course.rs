//! `duoku course`.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::{chain, print_line};
use crate::api::{gather_cartridge, write_cartridge};
use crate::app::App;
use crate::catalogue::{Caller, CourseId};
use crate::db;
use crate::pages::Lang;

/// Courses.
#[derive(Debug, Subcommand)]
pub(super) enum CourseCommand {
    /// Lists courses: id, stage, library, lessons, title.
    List,
    /// Writes a course as an IMS Common Cartridge 1.3 (GB/T 36347), for other learning systems.
    Export {
        /// Its id.
        id: CourseId,
        /// Where to; left out: ID.imscc in this folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// What addresses in it begin with, such as `https://learn.example`; left out: server.public_url.
        #[arg(long)]
        url: Option<String>,
        /// Whose eyes it is seen with.
        #[arg(long, default_value = "admin")]
        user: String,
    },
}

impl CourseCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => list(&app).await?,
            Self::Export { id, out, url, user } => export(&app, id, out, url, &user).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(app: &App) -> anyhow::Result<()> {
    let mut db = app.db.read().await?;
    let filter = db::courses::Filter::default();
    let (_, courses) = db::courses::list(&mut db, &filter, 0, i64::MAX).await?;
    for course in courses {
        let library = db::libraries::get(&mut db, course.library).await?;
        let lessons = db::lessons::contents(&mut db, course.id).await?.lessons().count();
        let (id, stage, title) = (course.id, course.stage, course.details.title);
        print_line(&format!("{id}\t{stage}\t{}\t{lessons}\t{title}", library.slug));
    }
    Ok(())
}

async fn export(
    app: &App,
    id: CourseId,
    out: Option<PathBuf>,
    url: Option<String>,
    user: &str,
) -> anyhow::Result<()> {
    let url = url.unwrap_or_else(|| app.config.server.public_url.clone());
    let url = url.trim_end_matches('/').to_owned();
    anyhow::ensure!(
        url.starts_with("http://") || url.starts_with("https://"),
        "videos are played from this server: give its address by --url or server.public_url"
    );
    let mut db = app.db.read().await?;
    let account = db::accounts::find_by_name(&mut db, user, app.now_ms()).await?;
    let caller = Caller(Some(account.with_context(|| format!("there is no account {user:?}"))?));
    let course = db::courses::find(&mut db, id).await?;
    let course = course.with_context(|| format!("there is no course {id}"))?;
    let library = db::libraries::get(&mut db, course.library).await?;
    drop(db);
    let cartridge = gather_cartridge(app, &caller, Lang::Zh, (&course, &library), &url)
        .await
        .map_err(|error| anyhow::anyhow!("{}", chain(&error.into())))?;
    let path = out.unwrap_or_else(|| PathBuf::from(format!("{id}.imscc")));
    let lessons: usize = cartridge.sections.iter().map(|section| section.lessons.len()).sum();
    let (app, to) = (app.clone(), path.clone());
    let written = tokio::task::spawn_blocking(move || {
        let file = BufWriter::new(File::create(&to)?);
        write_cartridge(&app, &cartridge, file)
    });
    written.await?.with_context(|| format!("cannot write {}", path.display()))?;
    print_line(&format!(
        "已导出 {lessons} 课到 {} Wrote {lessons} lessons to {}",
        path.display(),
        path.display()
    ));
    Ok(())
}

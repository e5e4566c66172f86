//! `duoku recognise`: has the text in pictures read that was not read when they were taken in.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;

use super::print_line;
use crate::app::App;
use crate::catalogue::ResourceId;
use crate::db;
use crate::db::resources::Filter;
use crate::ingest::missing;

/// Resources that are looked at together.
const PAGE: i64 = 200;

/// Has text in pictures read.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(super) struct Recognise {
    /// All that was taken in while no recogniser was installed.
    #[arg(long, group = "which")]
    missing: bool,
    /// Ids of resources whose pages, picture or slides without text are read, again if need be.
    #[arg(group = "which")]
    resources: Vec<String>,
}

impl Recognise {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        if !missing::is_possible(&app) {
            bail!(
                "没有可用的文字识别：请安装 tesseract 和 ocr.languages 里的语言，并打开 ocr.enabled \
                 Nothing here reads pictures: install tesseract with the languages of ocr.languages, and set ocr.enabled"
            );
        }
        let ids =
            if self.missing { all(&app).await? } else { named(&app, &self.resources).await? };
        let (mut resources, mut jobs) = (0, 0);
        for id in ids {
            let pushed = missing::push(&app, id, !self.missing).await?;
            resources += usize::from(pushed > 0);
            jobs += pushed;
        }
        print_line(&format!(
            "{resources} 个资源将被识别，{jobs} 个任务已排队 {resources} resources will be read, {jobs} jobs are queued"
        ));
        Ok(ExitCode::SUCCESS)
    }
}

async fn all(app: &App) -> anyhow::Result<Vec<ResourceId>> {
    let mut ids = Vec::new();
    loop {
        let offset = ids.len() as i64;
        let (_, page) =
            db::resources::list(&mut *app.db.read().await?, &Filter::default(), offset, PAGE)
                .await?;
        if page.is_empty() {
            return Ok(ids);
        }
        ids.extend(page.into_iter().map(|resource| resource.id));
    }
}

async fn named(app: &App, texts: &[String]) -> anyhow::Result<Vec<ResourceId>> {
    let mut ids = Vec::new();
    for text in texts {
        let id = text.parse().with_context(|| format!("{text:?} is not the id of a resource"))?;
        if db::resources::find(&mut *app.db.read().await?, id).await?.is_none() {
            bail!("there is no resource {text}");
        }
        ids.push(id);
    }
    Ok(ids)
}

//! `duoku store`: moves the objects to another store.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use futures::StreamExt as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::{eprint_line, print_line};
use crate::app::{App, open_store};
use crate::config;
use crate::db;
use crate::db::objects::Object;
use crate::store::{Error, Store, Stored};

/// Objects that are copied at the same time.
const AT_ONCE: usize = 4;

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Copies every object that a row names to another store, and checks each; what is there
    /// already is left as it is. It may run beside a server, and again.
    Copy(Copy),
}

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// A folder, or s3://BUCKET/PREFIX.
    to: String,
    /// Read what is there already too, instead of comparing sizes.
    #[arg(long)]
    verify: bool,
}

/// What became of an object.
enum Copied {
    Now,
    Before,
}

impl StoreCommand {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let Self::Copy(copy) = self;
        let place =
            config::place(&copy.to).ok_or_else(|| anyhow::anyhow!("no place to copy to"))?;
        anyhow::ensure!(place != app.config.store(), "{} is where the objects are", copy.to);
        let to = Arc::new(open_store(&app.config, &place).await?);
        copy.run(&app, &to).await
    }
}

impl Copy {
    async fn run(&self, app: &App, to: &Arc<Store>) -> anyhow::Result<ExitCode> {
        let (count, bytes) = db::objects::total(&mut *app.db.read().await?).await?;
        let bar = ProgressBar::new(bytes.max(0).cast_unsigned());
        bar.set_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")?);
        let (mut now, mut before, mut failed) = (0_u64, 0_u64, 0_u64);
        let mut after = String::new();
        loop {
            let rows = db::objects::list(&mut *app.db.read().await?, &after, 1000).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            let copies = rows.into_iter().map(|row| self.copy(app, to, row));
            let mut copies = futures::stream::iter(copies).buffer_unordered(AT_ONCE);
            while let Some((row, copied)) = copies.next().await {
                bar.inc(row.size_bytes.max(0).cast_unsigned());
                match copied {
                    Ok(Copied::Now) => now += 1,
                    Ok(Copied::Before) => before += 1,
                    Err(error) => {
                        failed += 1;
                        bar.suspend(|| eprint_line(&format!("{}\t{error}", row.key)));
                    }
                }
            }
        }
        bar.finish_and_clear();
        print_line(&format!(
            "{count} 个对象：复制 {now} 个，已有 {before} 个，失败 {failed} 个 {count} objects: {now} copied, {before} there, {failed} failed"
        ));
        if failed == 0 {
            print_line(
                "停下服务、再运行一次本命令，然后更改 storage.store Stop the servers, run this once more, then change storage.store",
            );
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }

    async fn copy(
        &self,
        app: &App,
        to: &Arc<Store>,
        row: Object,
    ) -> (Object, Result<Copied, Error>) {
        let (from, to, verify) = (app.store.clone(), Arc::clone(to), self.verify);
        let copying = tokio::task::spawn_blocking(move || {
            let copied = copy_one(&from, &to, &row, verify);
            (row, copied)
        });
        copying.await.expect("copying does not panic")
    }
}

fn copy_one(from: &Store, to: &Store, row: &Object, verify: bool) -> Result<Copied, Error> {
    let expected = Stored {
        size_bytes: row.size_bytes,
        sha256: row.sha256.parse().map_err(|_| Error::BadKey(row.key.clone()))?,
    };
    let there = match verify {
        true => to.stored(&row.key).is_ok_and(|found| found == expected),
        false => to.size_of(&row.key).is_ok_and(|size| size == expected.size_bytes),
    };
    if there {
        return Ok(Copied::Before);
    }
    to.put_object(&row.key, &from.open_object(&row.key)?, &expected)?;
    Ok(Copied::Now)
}

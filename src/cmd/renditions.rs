//! `duoku renditions`: what is kept, what waits until somebody plays it, what that saves.

use std::process::ExitCode;

use clap::Args;

use super::print_line;
use crate::app::App;
use crate::db;
use crate::db::renditions::Holding;

/// Says how many renditions the libraries have, which are not made, and what that saves.
#[derive(Debug, Args)]
pub(super) struct Renditions {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

impl Renditions {
    pub(super) async fn run(self, app: App) -> anyhow::Result<ExitCode> {
        let report = db::renditions::report(&mut *app.db.read().await?).await?;
        if self.json {
            print_line(&serde_json::to_string_pretty(&report)?);
        } else {
            report.libraries.iter().chain([&report.all]).for_each(|held| print_line(&line(held)));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn line(holding: &Holding) -> String {
    let Holding { kept, making, absent, retired, .. } = holding;
    let [kept_mb, absent_mb, dropped_mb, retired_mb] =
        [holding.kept_bytes, holding.absent_bytes, holding.dropped_bytes, holding.retired_bytes]
            .map(|bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    let library = if holding.library.is_empty() { "共计 all" } else { &holding.library };
    format!(
        "{library}\t有 kept {kept}, {kept_mb}\t在制作 making {making}\t未制作 absent {absent}, \
         {absent_mb} (其中曾有 dropped {dropped_mb})\t待删 retired {retired}, {retired_mb}"
    )
}

//! `duoku reindex`.

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::print_line;
use crate::app::App;
use crate::ingest::index;

/// Builds the index anew; a running `serve` takes it over by itself.
pub(super) async fn run(app: App) -> anyhow::Result<ExitCode> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len}")?);
    let (count, left_out) = index::rebuild(&app, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })
    .await?;
    bar.finish_and_clear();
    print_line(&format!("索引已重建，共 {count} 项 The index was built anew: {count} resources"));
    if !left_out.is_empty() {
        let many = left_out.len();
        print_line(&format!(
            "{many} 项无法编入，已跳过 {many} could not be taken and were skipped:"
        ));
    }
    for one in left_out {
        print_line(&format!("{}\t{}\t{}", one.resource, one.title, one.reason));
    }
    Ok(ExitCode::SUCCESS)
}

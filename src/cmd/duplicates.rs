//! `duoku duplicates`: what is the same in several resources.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::compare;
use crate::config::Config;

/// What is the same in several resources: file, picture, sound or text.
#[derive(Debug, Args)]
pub(super) struct Duplicates {
    /// Answer in CSV, a line for each pair.
    #[arg(long)]
    csv: bool,
    /// Compare these files and folders with each other instead; nothing is taken in.
    #[arg(long, num_args = 1.., value_name = "PATH", conflicts_with = "csv")]
    compare: Vec<PathBuf>,
}

impl Duplicates {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        if !self.compare.is_empty() {
            compare::run(&config, &self.compare).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(ExitCode::SUCCESS)
    }
}

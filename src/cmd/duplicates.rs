//! `duoku duplicates`: what is the same in several resources.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{compare, open, print_line};
use crate::api::csv_of_all;
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
        let table = csv_of_all(&open(config).await?).await?;
        if self.csv {
            print_line(table.trim_end());
        } else {
            brief(&table)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line for each pair: group, what is the same, share, and for both library and title.
fn brief(table: &str) -> anyhow::Result<()> {
    for row in csv::Reader::from_reader(table.trim_start_matches('\u{feff}').as_bytes()).records() {
        let row = row?;
        let fields: Vec<&str> =
            [0, 2, 3, 6, 5, 12, 11].iter().filter_map(|at| row.get(*at)).collect();
        print_line(&fields.join("\t"));
    }
    Ok(())
}

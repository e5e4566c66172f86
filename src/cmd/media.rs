//! `duoku media`: what the media child sees of a file, and whether it is shut in.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use transcode::{Input, Policy};

use super::print_line;
use crate::media::sandbox::{self, Limits};
use crate::media::selftest;

/// Tools for media files.
#[derive(Debug, Args)]
pub(super) struct Media {
    /// Tries to break out of the media child's sandbox; all attempts must be refused.
    #[arg(long)]
    selftest_escape: bool,
    #[command(subcommand)]
    command: Option<MediaCommand>,
}

#[derive(Debug, Subcommand)]
enum MediaCommand {
    /// Says what is in a file and what would be made of it.
    Probe {
        /// A video or audio.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Media {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            _ if self.selftest_escape => selftest_escape(),
            Some(MediaCommand::Probe { file, json }) => probe(file, *json),
            None => bail!("say what to do: probe FILE, or --selftest-escape"),
        }
    }
}

fn selftest_escape() -> anyhow::Result<ExitCode> {
    let scratch = tempfile::tempdir()?;
    std::env::set_current_dir(scratch.path())?;
    let layers = sandbox::enter(scratch.path(), &Limits::default())?;
    print_line(&format!("{layers:?}"));
    let attempts = selftest::escape_attempts();
    let escaped = attempts.iter().filter(|attempt| !attempt.refused).count();
    for attempt in &attempts {
        print_line(&format!(
            "{}\t{}",
            if attempt.refused { "refused" } else { "ESCAPED" },
            attempt.name
        ));
    }
    print_line(&format!("{} attempts, {escaped} escaped", attempts.len()));
    Ok(if escaped == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn probe(path: &PathBuf, json: bool) -> anyhow::Result<ExitCode> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let scratch = tempfile::tempdir()?;
    // What it is told of is as little trusted here as in the worker.
    sandbox::enter(scratch.path(), &Limits::default())?;
    let probe = Input::open(file).and_then(|mut input| transcode::probe(&mut input));
    let probe = probe.with_context(|| path.display().to_string())?;
    let plan = transcode::plan(&probe, &Policy::default());
    if json {
        let plan = plan.as_ref().ok();
        print_line(&serde_json::to_string_pretty(
            &serde_json::json!({ "probe": probe, "plan": plan }),
        )?);
    } else {
        print_line(&format!("{probe:#?}"));
    }
    match plan {
        Ok(plan) => {
            if !json {
                print_line(&format!("{}\n{}", plan.sentence_zh, plan.sentence_en));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => bail!("{}: {refusal}", path.display()),
    }
}

//! `duoku media`: what the media child sees of a file, and whether it is shut in.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use transcode::{Hdr, Input, Plan, Policy, Probe, SourceTrack};

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
        print_line(&found(&probe));
    }
    match plan {
        Ok(plan) => {
            if !json {
                print_line(&planned(&plan));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => bail!("{}: {refusal}", path.display()),
    }
}

/// What is in the file, a line a track.
fn found(probe: &Probe) -> String {
    let mut lines = vec![format!(
        "{}, {}, {}",
        probe.container,
        seconds(probe.duration_ms),
        bits(probe.bitrate_bps)
    )];
    lines.extend(probe.tracks.iter().map(track));
    lines.extend(probe.chapters.iter().map(|c| format!("  {} {}", seconds(c.start_ms), c.title)));
    lines.join("\n")
}

fn track(track: &SourceTrack) -> String {
    let mut facts = vec![format!("{:>3} {:?} {}", track.index, track.kind, track.codec)];
    facts.extend(track.profile.clone());
    if let Some(video) = &track.video {
        let (width, height) = (video.width, video.height);
        let rate = video.frame_rate.value();
        facts.push(format!("{width}x{height} {rate:.2} fps {}", video.pixel_format));
        if let Some(ms) = video.max_key_interval_ms {
            facts.push(format!("key frame every {} or less", seconds(ms)));
        }
        let said = [
            (video.interlaced, "interlaced"),
            (video.rotation != 0, "rotated"),
            (video.hdr != Hdr::None, "HDR"),
            (!video.closed_gops, "open GOPs"),
            (video.variable_frame_rate, "variable frame rate"),
        ];
        facts.extend(said.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
    }
    if let Some(audio) = &track.audio {
        facts.push(format!("{} {} Hz", audio.layout, audio.sample_rate));
    }
    facts.extend(track.bitrate_bps.map(bits));
    facts.extend(track.language.clone());
    facts.extend(track.title.as_ref().map(|title| format!("{title:?}")));
    if !track.decodable {
        facts.push("cannot be decoded".to_owned());
    }
    facts.join(", ")
}

/// What would be made, a line a rendition, and the sentences that authors see.
fn planned(plan: &Plan) -> String {
    let mut lines = Vec::new();
    if let Some(video) = &plan.video {
        if let Some(copy) = &video.copy {
            let until = if copy.keep { "" } else { ", until the rungs are made" };
            lines.push(format!("copy {} {}x{}{until}", copy.name, copy.width, copy.height));
        }
        lines.extend(video.rungs.iter().map(|rung| {
            let cap = bits(rung.max_bitrate_bps.into());
            format!("encode {} {}x{}, at most {cap}", rung.name, rung.width, rung.height)
        }));
        lines.extend(video.left_out.iter().map(|name| format!("leave out {name}")));
    }
    for sound in plan.audio.iter().flat_map(|audio| &audio.renditions) {
        let how = if sound.copy { "copy" } else { "encode" };
        lines.push(format!("{how} {}, {}", sound.name, bits(sound.bitrate_bps.into())));
    }
    lines.push(format!("{} parts", plan.parts.len()));
    lines.push(plan.sentence_zh.clone());
    lines.push(plan.sentence_en.clone());
    lines.join("\n")
}

fn seconds(ms: i64) -> String {
    format!("{:.3} s", ms as f64 / 1000.0)
}

fn bits(bps: i64) -> String {
    format!("{:.0} kbit/s", bps as f64 / 1000.0)
}

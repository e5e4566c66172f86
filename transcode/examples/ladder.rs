//! Makes everything of one file, and HLS playlists to play it with. It is what operators try a
//! file or a setting with, and what `benches/transcode.py` measures:
//!
//! ```text
//! ladder IN OUTDIR [--crf N] [--rungs 1080:5350000,720:2996000] [--no-copy]
//!                  [--codecs h264,hevc,av1] [--segment-ms N] [--part-ms N] [--only-streams]
//! mpv OUTDIR/master.m3u8
//! ```
//!
//! Rungs are given as height and cap in bit/s, and all of them are made. `--no-copy` encodes what could be kept as it is;
//! `--only-streams` leaves subtitles, the poster and the storyboard out. Sound and pictures are
//! made at the same time, as by a worker with two jobs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use transcode::{Event, Input, Plan, Policy, RungPolicy, Segment, VideoCodec, VideoPlan};

type AnyError = Box<dyn std::error::Error>;

const USAGE: &str = "usage: ladder IN OUTDIR [--crf N] [--rungs HEIGHT:BPS,...] [--no-copy] \
                     [--codecs CODEC,...] [--segment-ms N] [--part-ms N] [--only-streams]";

fn main() -> Result<(), AnyError> {
    let Order { source, out, policy, only_streams } = Order::read(std::env::args_os().skip(1))?;
    fs::create_dir_all(&out)?;
    let clock = Clock(Instant::now());

    let mut input = Input::open(File::open(&source)?)?;
    let probe = transcode::probe(&mut input)?;
    fs::write(out.join("probe.txt"), format!("{probe:#?}\n"))?;
    clock.lap("probe")?;
    let plan = transcode::plan(&probe, &policy)?;
    fs::write(out.join("plan.txt"), format!("{plan:#?}\n"))?;
    writeln!(std::io::stdout(), "{} / {}", plan.sentence_zh, plan.sentence_en)?;

    let tables = Mutex::new(Tables::default());
    thread::scope(|scope| {
        let sound = scope.spawn(|| sound(&source, &plan, &out, &tables, &clock));
        let pictures = pictures(&mut input, &plan, &out, &tables, &clock);
        sound.join().map_err(|_| "the sound's thread broke".to_owned())??;
        pictures
    })?;
    if !only_streams {
        let subtitles = transcode::extract_subtitles(&mut input, &plan)?;
        fs::write(out.join("subtitles.txt"), format!("{subtitles:#?}\n"))?;
        let stills = transcode::stills(&mut input, &plan, &out, &mut |_| Ok(()))?;
        fs::write(out.join("stills.txt"), format!("{stills:#?}\n"))?;
        clock.lap("subtitles and stills")?;
    }
    tables.into_inner()?.write(&plan, &out)
}

/// The source's own packets and the sound, read with a handle of its own.
fn sound(
    source: &Path,
    plan: &Plan,
    out: &Path,
    tables: &Mutex<Tables>,
    clock: &Clock,
) -> Result<(), String> {
    let work = || -> Result<(), AnyError> {
        let mut input = Input::open(File::open(source)?)?;
        let mut on = |event| take(tables, event);
        if plan.video.as_ref().is_some_and(|video| video.copy.is_some()) {
            transcode::copy_video(&mut input, plan, out, &mut on)?;
            clock.lap("copy")?;
        }
        transcode::encode_audio(&mut input, plan, out, &mut on)?;
        clock.lap("sound")
    };
    work().map_err(|error| error.to_string())
}

/// The encoded rungs, part by part.
fn pictures(
    input: &mut Input,
    plan: &Plan,
    out: &Path,
    tables: &Mutex<Tables>,
    clock: &Clock,
) -> Result<(), String> {
    if plan.video.is_none() {
        return Ok(());
    }
    for rungs in plan.video.iter().flat_map(VideoPlan::batches) {
        for part in 0..plan.parts.len() {
            let on = &mut |event| take(tables, event);
            transcode::encode_part(input, plan, part, &rungs, out, on)
                .map_err(|error| error.to_string())?;
        }
    }
    clock.lap("pictures").map_err(|error| error.to_string())
}

fn take(tables: &Mutex<Tables>, event: Event) -> Result<(), transcode::Error> {
    tables.lock().expect("no thread broke").take(event);
    Ok(())
}

/// What is asked for.
struct Order {
    source: PathBuf,
    out: PathBuf,
    policy: Policy,
    only_streams: bool,
}

impl Order {
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, AnyError> {
        let (Some(source), Some(out)) = (arguments.next(), arguments.next()) else {
            return Err(USAGE.into());
        };
        let mut policy = Policy::default();
        let mut only_streams = false;
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().and_then(|v| v.into_string().ok()).ok_or(USAGE);
            match name.to_str().unwrap_or_default() {
                "--crf" => policy.crf = value()?.parse()?,
                "--rungs" => {
                    policy.rungs = rungs(&value()?)?;
                    policy.enough_bitrate_bps = 0;
                }
                "--codecs" => policy.codecs = codecs(&value()?)?,
                "--no-copy" => policy.copy_video = false,
                "--segment-ms" => policy.segment_ms = value()?.parse()?,
                "--part-ms" => policy.part_ms = value()?.parse()?,
                "--only-streams" => only_streams = true,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(Self { source: source.into(), out: out.into(), policy, only_streams })
    }
}

fn codecs(text: &str) -> Result<Vec<VideoCodec>, AnyError> {
    Ok(serde_json::from_str(&format!("[\"{}\"]", text.replace(',', "\",\"")))?)
}

fn rungs(text: &str) -> Result<Vec<RungPolicy>, AnyError> {
    text.split(',')
        .map(|rung| {
            let (height, bps) = rung.split_once(':').ok_or(USAGE)?;
            Ok(RungPolicy { height: height.parse()?, max_bitrate_bps: bps.parse()? })
        })
        .collect()
}

/// Says when each step was done.
struct Clock(Instant);

impl Clock {
    fn lap(&self, step: &str) -> Result<(), AnyError> {
        writeln!(std::io::stdout(), "{step}: at {:.2} s", self.0.elapsed().as_secs_f64())?;
        Ok(())
    }
}

/// What the events told of each rendition.
#[derive(Default)]
struct Tables(BTreeMap<String, Table>);

#[derive(Default)]
struct Table {
    init: String,
    codecs: String,
    size: (u32, u32),
    time_scale: u32,
    peak_bps: i64,
    parts: BTreeMap<usize, (String, Vec<Segment>)>,
}

impl Tables {
    fn take(&mut self, event: Event) {
        match event {
            Event::Init { rendition, file, codecs, width, height, time_scale, .. } => {
                let table = self.0.entry(rendition).or_default();
                (table.init, table.codecs) = (file, codecs);
                (table.size, table.time_scale) = ((width, height), time_scale);
            }
            Event::Part { rendition, index, file, segments, peak_bitrate_bps } => {
                let table = self.0.entry(rendition).or_default();
                table.peak_bps = table.peak_bps.max(peak_bitrate_bps);
                table.parts.insert(index, (file, segments));
            }
            Event::Progress(_) => {}
        }
    }

    /// Writes a playlist for each rendition and the one that names them (RFC 8216).
    fn write(&self, plan: &Plan, out: &Path) -> Result<(), AnyError> {
        let mut master = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        let audio =
            plan.audio.iter().filter_map(|audio| audio.renditions.first().map(|r| (audio, r)));
        let mut audio_bps = 0;
        for (audio, rendition) in audio {
            let Some(table) = self.0.get(&rendition.name) else { continue };
            audio_bps = audio_bps.max(table.peak_bps);
            let default = if audio.default { "YES" } else { "NO" };
            writeln!(
                master,
                "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"{0}\",LANGUAGE=\"{1}\",\
                 DEFAULT={default},AUTOSELECT=YES,URI=\"{0}.m3u8\"",
                rendition.name,
                audio.language.as_deref().unwrap_or("und"),
            )?;
        }
        let sound = if plan.audio.is_empty() { "" } else { ",AUDIO=\"a\"" };
        for (name, table) in &self.0 {
            fs::write(out.join(format!("{name}.m3u8")), table.playlist()?)?;
            let ((width, height), bps) = (table.size, table.peak_bps + audio_bps);
            let codecs = format!("{},mp4a.40.2", table.codecs);
            if width > 0 {
                writeln!(
                    master,
                    "#EXT-X-STREAM-INF:BANDWIDTH={bps},CODECS=\"{codecs}\",\
                     RESOLUTION={width}x{height}{sound}\n{name}.m3u8"
                )?;
            } else if plan.video.is_none() {
                writeln!(
                    master,
                    "#EXT-X-STREAM-INF:BANDWIDTH={bps},CODECS=\"mp4a.40.2\"\n{name}.m3u8"
                )?;
            }
        }
        fs::write(out.join("master.m3u8"), master)?;
        Ok(())
    }
}

impl Table {
    fn playlist(&self) -> Result<String, AnyError> {
        let seconds = |s: &Segment| s.duration_ticks as f64 / f64::from(self.time_scale);
        let all = self.parts.values().flat_map(|(_, segments)| segments);
        let target = all.map(seconds).fold(1.0, f64::max).round();
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n\
             #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"{}\"\n",
            self.init
        );
        for (file, segments) in self.parts.values() {
            for segment in segments {
                writeln!(
                    text,
                    "#EXTINF:{:.5},\n#EXT-X-BYTERANGE:{}@{}\n{file}",
                    seconds(segment),
                    segment.length_bytes,
                    segment.offset_bytes
                )?;
            }
        }
        text.push_str("#EXT-X-ENDLIST\n");
        Ok(text)
    }
}

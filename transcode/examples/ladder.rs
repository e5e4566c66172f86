//! Makes everything of one file, and HLS playlists to play it with:
//!
//! ```text
//! ladder IN OUTDIR [PART_MS [CODECS]]
//! mpv OUTDIR/master.m3u8
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use transcode::{Event, Input, Plan, Policy, Segment, VideoPlan};

type AnyError = Box<dyn std::error::Error>;

fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(source), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: ladder IN OUTDIR [PART_MS [CODECS]]".into());
    };
    let mut policy = Policy::default();
    if let Some(part_ms) = arguments.next().and_then(|a| a.into_string().ok()) {
        policy.part_ms = part_ms.parse()?;
    }
    if let Some(codecs) = arguments.next().and_then(|a| a.into_string().ok()) {
        policy.codecs = serde_json::from_str(&format!("[\"{}\"]", codecs.replace(',', "\",\"")))?;
    }
    let out = PathBuf::from(out);
    fs::create_dir_all(&out)?;
    let mut clock = Clock(Instant::now());

    let mut input = Input::open(File::open(source)?)?;
    let probe = transcode::probe(&mut input)?;
    fs::write(out.join("probe.txt"), format!("{probe:#?}\n"))?;
    clock.lap("probe")?;
    let plan = transcode::plan(&probe, &policy)?;
    fs::write(out.join("plan.txt"), format!("{plan:#?}\n"))?;
    writeln!(std::io::stdout(), "{} / {}", plan.sentence_zh, plan.sentence_en)?;

    let mut tables = Tables::default();
    let mut on = |event| {
        tables.take(event);
        Ok(())
    };
    if plan.video.as_ref().is_some_and(|video| video.copy.is_some()) {
        transcode::copy_video(&mut input, &plan, &out, &mut on)?;
        clock.lap("copy")?;
    }
    transcode::encode_audio(&mut input, &plan, &out, &mut on)?;
    clock.lap("audio")?;
    for rungs in plan.video.iter().flat_map(VideoPlan::batches) {
        for part in 0..plan.parts.len() {
            transcode::encode_part(&mut input, &plan, part, &rungs, &out, &mut on)?;
        }
        clock.lap(&rungs.join(" "))?;
    }
    let subtitles = transcode::extract_subtitles(&mut input, &plan)?;
    fs::write(out.join("subtitles.txt"), format!("{subtitles:#?}\n"))?;
    clock.lap("subtitles")?;
    let stills = transcode::stills(&mut input, &plan, &out, &mut |_| Ok(()))?;
    fs::write(out.join("stills.txt"), format!("{stills:#?}\n"))?;
    clock.lap("stills")?;
    tables.write(&plan, &out)?;
    Ok(())
}

/// Says how long each step took.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self, step: &str) -> Result<(), AnyError> {
        writeln!(std::io::stdout(), "{step}: {:.2} s", self.0.elapsed().as_secs_f64())?;
        self.0 = Instant::now();
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

//! The picture: which rungs the source deserves, and whether its own packets can be kept.

use crate::facts::{Colour, Hdr, Probe, Ratio, SourceTrack, VideoFacts};

use super::{CopyPlan, PictureSubtitles, Policy, Rung, RungPolicy, VideoCodec, VideoPlan};

/// Frames a second above which frames are dropped, with room for 59.94 written as 60.1.
const MAX_FRAME_RATE: f64 = 60.5;

/// Bits a pixel below which most frames repeat the one before.
const STILL_BITS_PER_PIXEL: f64 = 0.02;

/// A copied segment ends at a key frame, so this bounds what it can be longer than planned.
pub(crate) const MAX_COPY_KEY_INTERVAL_MS: i64 = 6_100;

/// A copy can neither begin late nor repeat a last frame in parts of their own.
const MAX_COPY_START_MS: i64 = 100;
const MAX_COPY_SHORTFALL_MS: i64 = 1_000;

/// Profiles that browsers and televisions play (ISO/IEC 14496-10 annex A), by FFmpeg's names.
const COPY_PROFILES: [&str; 4] = ["Constrained Baseline", "Baseline", "Main", "High"];

/// Containers of true time stamps. MPEG-TS carries the parameters of H.264 within the stream, from
/// where FFmpeg takes them.
const COPY_CONTAINERS: [&str; 4] = ["mov,", "matroska", "flv", "mpegts"];

pub(super) fn plan(probe: &Probe, track: &SourceTrack, policy: &Policy) -> Option<VideoPlan> {
    let facts = track.video.as_ref()?;
    let (copy, rungs, left_out) = ladder(probe, track, facts, policy);
    let cap_frame_rate = facts.frame_rate.value() > MAX_FRAME_RATE;
    Some(VideoPlan {
        track: track.index,
        copy,
        rungs,
        left_out,
        frame_rate: if cap_frame_rate { Ratio { num: 60, den: 1 } } else { facts.frame_rate },
        cap_frame_rate,
        deinterlace: facts.interlaced,
        rotation: facts.rotation,
        mirrored: facts.mirrored,
        tone_map: facts.hdr,
        colour: result_colour(facts),
        burn: burn(probe, policy),
        reliable_times: facts.reliable_times,
    })
}

/// Do most frames repeat the one before, as of slides and screens? Then they cost next to nothing.
pub(super) fn stands_still(track: &SourceTrack) -> bool {
    let Some((facts, bitrate_bps)) = track.video.as_ref().zip(track.bitrate_bps) else {
        return false;
    };
    let area = f64::from(facts.coded_width) * f64::from(facts.coded_height);
    #[expect(clippy::cast_precision_loss, reason = "a rough share")]
    let bits_per_pixel = bitrate_bps as f64 / (area * facts.frame_rate.value()).max(1.0);
    bitrate_bps > 0 && bits_per_pixel < STILL_BITS_PER_PIXEL
}

/// The track of subtitles to be drawn.
fn burn(probe: &Probe, policy: &Policy) -> Option<usize> {
    let wanted = policy.picture_subtitles == PictureSubtitles::Burn;
    let tracks = || probe.tracks.iter().filter(|t| wanted && t.picture_subtitle);
    let by = |which: fn(&SourceTrack) -> bool| tracks().find(|track| which(track));
    let track = by(|t| t.default).or_else(|| by(|t| t.forced)).or_else(|| by(|_| true));
    track.map(|track| track.index)
}

/// What is copied, what is encoded, and what would add nothing.
fn ladder(
    probe: &Probe,
    track: &SourceTrack,
    facts: &VideoFacts,
    policy: &Policy,
) -> (Option<CopyPlan>, Vec<Rung>, Vec<String>) {
    let bitrate_bps = track.bitrate_bps.unwrap_or(probe.bitrate_bps);
    let mut rungs = rungs(facts, policy);
    let left_out = leave_out(&mut rungs, track, facts, policy);
    let others = other_codecs(&rungs, policy);
    let burns = burn(probe, policy).is_some();
    if !policy.copy_video || burns || !can_copy(probe, track, facts, policy) {
        rungs.extend(others);
        return (None, rungs, left_out);
    }
    let cap_bps = rungs.first().map_or(0, |r| i64::from(r.max_bitrate_bps));
    let keep = bitrate_bps * 2 <= cap_bps * 3 && bitrate_bps <= policy.max_copy_bitrate_bps;
    if !keep && bitrate_bps > policy.max_preview_bitrate_bps {
        rungs.extend(others);
        return (None, rungs, left_out);
    }
    let name = rungs.first().map(|top| format!("{}-copy", top.name)).unwrap_or_default();
    if keep {
        rungs.remove(0);
    }
    rungs.extend(others);
    let (width, height) = (facts.coded_width, facts.coded_height);
    (Some(CopyPlan { name, width, height, colour: facts.colour, keep }), rungs, left_out)
}

/// Takes away rungs below one that is expected to need so few bits that every line carries it:
/// they would look worse and save nothing. Gives their names.
fn leave_out(
    rungs: &mut Vec<Rung>,
    track: &SourceTrack,
    facts: &VideoFacts,
    policy: &Policy,
) -> Vec<String> {
    let Some(source_bps) = track.bitrate_bps.filter(|&bps| bps > 0) else { return Vec::new() };
    let area = |width: u32, height: u32| f64::from(width) * f64::from(height);
    let source = area(facts.width, facts.height).max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let as_h264 = source_bps as f64 * efficiency(&track.codec);
    // Bits grow more slowly than pixels: the power is what ladders of natural footage show.
    let enough = |rung: &Rung| {
        let share = area(rung.width, rung.height) / source;
        as_h264 * share.powf(0.75) <= f64::from(policy.enough_bitrate_bps)
    };
    let kept = rungs.iter().position(enough).map_or(rungs.len(), |first| first + 1);
    rungs.split_off(kept).into_iter().map(|rung| rung.name).collect()
}

/// The bits that H.264 needs for what a codec says in one. Rough, and for codecs that are less
/// thrifty than H.264 on the side of one rung too many.
fn efficiency(codec: &str) -> f64 {
    match codec {
        "hevc" | "vp9" => 1.6,
        "av1" => 2.0,
        _ => 1.0,
    }
}

/// The rungs once more for each other codec: the top one too where H.264 is copied, as that is
/// where most is saved.
fn other_codecs(rungs: &[Rung], policy: &Policy) -> Vec<Rung> {
    let wanted = |codec: &VideoCodec| policy.codecs.contains(codec);
    let codecs = [VideoCodec::Hevc, VideoCodec::Av1].into_iter().filter(wanted);
    let fits = |rung: &&Rung| {
        [rung.width, rung.height].iter().all(|side| OTHER_CODECS_SIDES.contains(side))
    };
    codecs
        .flat_map(|codec| rungs.iter().filter(fits).map(move |rung| as_codec(rung, codec)))
        .collect()
}

impl VideoPlan {
    /// The names of the rungs that are to be made together, what is needed first coming first:
    /// all of H.264, then for each other codec as many as the memory of one process allows.
    #[must_use]
    pub fn batches(&self) -> Vec<Vec<String>> {
        let mut batches: Vec<Vec<String>> = Vec::new();
        let mut open = (None, 0);
        for rung in &self.rungs {
            let pixels = u64::from(rung.width) * u64::from(rung.height);
            let room = rung.codec == VideoCodec::H264 || open.1 + pixels <= BATCH_PIXELS;
            if open.0 != Some(rung.codec) || !room {
                batches.push(Vec::new());
                open = (Some(rung.codec), 0);
            }
            open.1 += pixels;
            if let Some(batch) = batches.last_mut() {
                batch.push(rung.name.clone());
            }
        }
        batches
    }
}

/// What SVT-AV1 can encode at once within 1.5 GiB, with decoder and scalers: 1080p, or all below
/// (docs/codecs.md).
const BATCH_PIXELS: u64 = 1_920 * 1_088;

/// Sides that x265 and SVT-AV1 take.
const OTHER_CODECS_SIDES: std::ops::RangeInclusive<u32> = 64..=4_096;

/// The same picture as another codec, by what was measured (docs/codecs.md): the factor that looks
/// as good as x264's, and the share of the cap that is enough for it.
fn as_codec(rung: &Rung, codec: VideoCodec) -> Rung {
    let (ending, crf, percent) = match codec {
        VideoCodec::H264 => return rung.clone(),
        VideoCodec::Hevc => ("hevc", rung.crf + 3.0, 70),
        VideoCodec::Av1 => ("av1", rung.crf + 16.0, 60),
    };
    Rung {
        name: format!("{}-{ending}", rung.name),
        codec,
        // The scales end at 51 and 63.
        crf: crf.clamp(0.0, if codec == VideoCodec::Av1 { 63.0 } else { 51.0 }),
        max_bitrate_bps: rung.max_bitrate_bps / 100 * percent,
        ..rung.clone()
    }
}

/// The rungs at and below the source's own size, largest first; never empty.
fn rungs(facts: &VideoFacts, policy: &Policy) -> Vec<Rung> {
    let short = facts.width.min(facts.height).max(1);
    let fitting: Vec<&RungPolicy> = policy.rungs.iter().filter(|r| r.height <= short).collect();
    let mut rungs: Vec<Rung> = Vec::new();
    if let Some(own) = own_rung(short, fitting.first().map(|r| r.height), policy) {
        rungs.push(rung(facts, own, policy));
    }
    rungs.extend(fitting.into_iter().map(|r| rung(facts, *r, policy)));
    rungs
}

/// A rung of the source's own size, when it lies between two rungs and is more than 10 % larger
/// than the lower one, or below them all.
fn own_rung(short: u32, below: Option<u32>, policy: &Policy) -> Option<RungPolicy> {
    let above = policy.rungs.iter().rfind(|r| r.height > short);
    match (above, below) {
        (_, Some(below)) if short * 10 <= below * 11 => None,
        // Larger than the largest rung: that one is enough.
        (None, Some(_)) => None,
        (Some(above), _) => {
            let share = f64::from(short * short) / f64::from(above.height * above.height);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a u32"
            )]
            let max_bitrate_bps = (f64::from(above.max_bitrate_bps) * share) as u32;
            Some(RungPolicy { height: short, max_bitrate_bps: max_bitrate_bps.max(100_000) })
        }
        (None, None) => Some(RungPolicy { height: short, max_bitrate_bps: 1_000_000 }),
    }
}

fn rung(facts: &VideoFacts, rung: RungPolicy, policy: &Policy) -> Rung {
    let (width, height) = fit(facts.width, facts.height, rung.height);
    Rung {
        name: format!("{}p", even(rung.height)),
        codec: VideoCodec::H264,
        width,
        height,
        max_bitrate_bps: rung.max_bitrate_bps,
        crf: policy.crf,
    }
}

/// The size whose short side is `short`, both sides even, at least 16 and at most 8192.
fn fit(width: u32, height: u32, short: u32) -> (u32, u32) {
    let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let own_short = width.min(height);
    let scale = |side: u64| {
        let scaled = (side * u64::from(short) + own_short / 2) / own_short;
        even(u32::try_from(scaled.min(8_192)).unwrap_or(8_192))
    };
    (scale(width), scale(height))
}

/// The nearest even number, downwards, of at least 16.
fn even(side: u32) -> u32 {
    (side & !1).max(16)
}

fn can_copy(probe: &Probe, track: &SourceTrack, facts: &VideoFacts, policy: &Policy) -> bool {
    let tallest = policy.rungs.iter().map(|r| r.height).max().unwrap_or(0);
    let end_ms = track.start_ms + track.duration_ms;
    track.codec == "h264"
        && track.profile.as_deref().is_some_and(|name| COPY_PROFILES.contains(&name))
        && COPY_CONTAINERS.iter().any(|c| probe.container.starts_with(c))
        && matches!(facts.pixel_format.as_str(), "yuv420p" | "yuvj420p")
        && !facts.interlaced
        && facts.rotation == 0
        && !facts.mirrored
        && facts.sar.num == facts.sar.den
        && facts.hdr == Hdr::None
        && facts.reliable_times
        && facts.closed_gops
        && !facts.hidden_frames
        && facts.frame_rate.value() <= MAX_FRAME_RATE
        && facts.width.min(facts.height) * 10 <= tallest * 11
        && facts.max_key_interval_ms.is_some_and(|ms| ms <= MAX_COPY_KEY_INTERVAL_MS)
        && track.start_ms <= MAX_COPY_START_MS
        && end_ms + MAX_COPY_SHORTFALL_MS >= probe.duration_ms
}

/// What the encoded samples mean: BT.709 where colours are computed anew (tone mapping, RGB),
/// else what the source says; always limited range. What it leaves open is said as players take
/// it, by the source's size: each rung left open would be taken by its own, and colours jump.
fn result_colour(facts: &VideoFacts) -> Colour {
    let rgb = facts.colour.matrix == 0;
    if facts.hdr != Hdr::None || rgb {
        return Colour::BT709;
    }
    let usual =
        if facts.width >= 1280 || facts.height > 576 { Colour::BT709 } else { Colour::BT601 };
    let said = |code: u8, usual: u8| match code {
        // Unspecified, and what ISO/IEC 23091-2 reserves.
        0 | 2 | 3 => usual,
        code if code > 18 => usual,
        code => code,
    };
    Colour {
        primaries: match facts.colour.primaries {
            13..=21 => usual.primaries,
            code => said(code, usual.primaries),
        },
        transfer: said(facts.colour.transfer, usual.transfer),
        matrix: match facts.colour.matrix {
            15.. => usual.matrix,
            code => said(code, usual.matrix),
        },
        full_range: false,
    }
}

//! The sound: every track that decodes, as stereo or mono AAC-LC.

use crate::facts::{AudioFacts, AudioRole, Probe, SourceTrack};

use super::{AudioCodec, AudioPlan, AudioRendition, Policy};

/// Below this one channel sounds better than two.
const MONO_BELOW_BPS: u32 = 64_000;

/// A copy above this would not do on a slow line.
const MAX_COPY_BPS: i64 = 160_000;

/// Containers of AAC that can be copied; the last two have it as ADTS.
const COPY_CONTAINERS: [&str; 5] = ["mov,", "matroska", "flv", "mpegts", "aac"];

/// A copy can neither begin late nor be filled up with silence.
const MAX_COPY_START_MS: i64 = 5;
const MAX_COPY_SHORTFALL_MS: i64 = 500;

pub(super) fn plan(probe: &Probe, policy: &Policy) -> Vec<AudioPlan> {
    let usual = |t: &SourceTrack| !matches!(t.role, AudioRole::Commentary | AudioRole::Description);
    let default = probe.usable_audio().position(|t| t.default && usual(t));
    let default = default.or_else(|| probe.usable_audio().position(usual)).unwrap_or(0);
    probe
        .usable_audio()
        .filter_map(|track| Some((track, track.audio.as_ref()?)))
        .enumerate()
        .flat_map(|(number, (track, facts))| {
            let copy = policy.copy_audio && can_copy(probe, track, facts);
            let aac = AudioPlan {
                track: track.index,
                language: track.language.clone(),
                title: track.title.clone(),
                role: track.role,
                default: number == default,
                codec: AudioCodec::Aac,
                loudness_lufs: policy.loudness_lufs,
                sample_rate: if copy { facts.sample_rate } else { sample_rate(facts) },
                renditions: renditions(number, track, facts, policy, copy),
            };
            let opus = policy.opus.then(|| opus(number, facts, &aac));
            [Some(aac), opus]
        })
        .flatten()
        .collect()
}

/// The same sound as Opus, which at half the bits is as good as AAC-LC at 128 kbit/s.
fn opus(number: usize, facts: &AudioFacts, aac: &AudioPlan) -> AudioPlan {
    let channels = facts.channels.clamp(1, 2);
    AudioPlan {
        codec: AudioCodec::Opus,
        // Opus knows no other of the usual rates.
        sample_rate: 48_000,
        renditions: vec![AudioRendition {
            name: format!("audio-{number}-opus"),
            bitrate_bps: OPUS_CHANNEL_BPS * channels,
            channels,
            copy: false,
        }],
        ..aac.clone()
    }
}

const OPUS_CHANNEL_BPS: u32 = 32_000;

/// The best rendition (copied or encoded), then those of fewer bits than the source has.
fn renditions(
    number: usize,
    track: &SourceTrack,
    facts: &AudioFacts,
    policy: &Policy,
    copy: bool,
) -> Vec<AudioRendition> {
    let source_bps = track.bitrate_bps.and_then(|b| u32::try_from(b).ok()).unwrap_or(u32::MAX);
    let few_bits = facts.channels == 1 && source_bps <= MONO_BELOW_BPS;
    let mut renditions = Vec::new();
    if copy {
        renditions.push(AudioRendition {
            // Whether it can be copied is not known before its loudness is.
            name: match policy.loudness_lufs {
                None => format!("audio-{number}-copy"),
                Some(_) => format!("audio-{number}-main"),
            },
            bitrate_bps: if source_bps == u32::MAX { 128_000 } else { source_bps },
            channels: facts.channels,
            copy: true,
        });
        if few_bits {
            return renditions;
        }
    }
    let encoded = policy.audio_bitrates_bps.iter().copied();
    let mut encoded = encoded.map(|bps| encoded_rendition(number, facts, bps));
    if copy {
        renditions.extend(encoded.skip(1).filter(|r| r.bitrate_bps < source_bps));
    } else if few_bits {
        renditions.extend(encoded.next_back());
    } else {
        renditions.extend(encoded);
    }
    renditions
}

fn encoded_rendition(number: usize, facts: &AudioFacts, bitrate_bps: u32) -> AudioRendition {
    AudioRendition {
        name: format!("audio-{number}-{}k", bitrate_bps / 1_000),
        bitrate_bps,
        channels: if bitrate_bps < MONO_BELOW_BPS { 1 } else { facts.channels.clamp(1, 2) },
        copy: false,
    }
}

fn can_copy(probe: &Probe, track: &SourceTrack, facts: &AudioFacts) -> bool {
    let container = COPY_CONTAINERS.iter().any(|c| probe.container.starts_with(c));
    container
        && track.codec == "aac"
        && track.profile.as_deref() == Some("LC")
        && (1..=2).contains(&facts.channels)
        && facts.regular
        && track.start_ms <= MAX_COPY_START_MS
        && track.start_ms + track.duration_ms + MAX_COPY_SHORTFALL_MS >= probe.duration_ms
        && track.bitrate_bps.is_some_and(|b| b > 0 && b <= MAX_COPY_BPS)
}

/// Rates of the 44.1 kHz family stay in it, all others become 48 kHz: what every player takes.
fn sample_rate(facts: &AudioFacts) -> u32 {
    if facts.sample_rate > 0 && facts.sample_rate.is_multiple_of(11_025) { 44_100 } else { 48_000 }
}

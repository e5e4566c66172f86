//! Which of FFmpeg's hundreds of demuxers and decoders may touch an upload.

use ffmpeg_next::codec::{self, Id};

/// Containers by FFmpeg's names. Never playlists, concatenations or patterns of names, which open
/// other files.
pub(super) const DEMUXERS: &str = "mov,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,mp3,aac,loas,\
    ac3,eac3,dts,flac,ogg,wav,w64,aiff,au,amr,amrnb,amrwb,caf,asf,wv,h264,hevc,m4v,ivf,obu,dv,mxf,\
    gif,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe";

/// Decoders by FFmpeg's names, in the order of preference where several know a codec.
const DECODERS: [&str; 92] = [
    "h264",
    "hevc",
    "libdav1d",
    "libaom-av1",
    "vp8",
    "vp9",
    "mpeg1video",
    "mpeg2video",
    "mpeg4",
    "msmpeg4",
    "msmpeg4v1",
    "msmpeg4v2",
    "h263",
    "h263i",
    "h263p",
    "h261",
    "flv",
    "wmv1",
    "wmv2",
    "wmv3",
    "vc1",
    "theora",
    "mjpeg",
    "prores",
    "dnxhd",
    "dvvideo",
    "ffv1",
    "huffyuv",
    "ffvhuff",
    "utvideo",
    "cfhd",
    "svq1",
    "svq3",
    "cinepak",
    "qtrle",
    "rawvideo",
    "v210",
    "msvideo1",
    "png",
    "webp",
    "gif",
    "bmp",
    "tiff", // pictures
    "aac",
    "aac_latm",
    "ac3",
    "eac3",
    "dca",
    "truehd",
    "mlp",
    "mp3float",
    "mp3",
    "mp2float",
    "mp2",
    "mp1float",
    "mp1",
    "flac",
    "alac",
    "vorbis",
    "opus",
    "wavpack",
    "amrnb",
    "amrwb",
    "wmav1",
    "wmav2",
    "wmapro",
    "wmavoice",
    "gsm",
    "gsm_ms",
    "speex",
    "libspeex",
    "nellymoser",
    "qdm2",
    "adpcm_ms",
    "adpcm_ima_wav",
    "adpcm_ima_qt",
    "adpcm_swf",
    "pcm_alaw",
    "pcm_mulaw",
    "pcm_u8",
    "pcm_s8",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_s24be",
    "pcm_s32le",
    "pcm_s32be",
    "pcm_f32le",
    "pcm_f32be",
    "pcm_f64le",
    "pcm_f64be",
    "pcm_bluray",
];

/// Decoders of subtitles.
const TEXT_DECODERS: [&str; 7] = ["subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"];

/// Decoders of subtitles that are pictures.
const PICTURE_DECODERS: [&str; 3] = ["pgssub", "dvdsub", "dvbsub"];

fn all() -> impl Iterator<Item = &'static str> {
    DECODERS.iter().chain(&TEXT_DECODERS).chain(&PICTURE_DECODERS).copied()
}

/// Is there an allowed decoder for the codec of this FFmpeg name (`h264`, `aac`)?
#[must_use]
pub fn allows_codec(name: &str) -> bool {
    super::init();
    all().filter_map(codec::decoder::find_by_name).any(|d| d.id().name() == name)
}

/// The preferred allowed decoder of a codec.
pub(super) fn decoder(id: Id) -> Option<codec::codec::Codec> {
    all().filter_map(codec::decoder::find_by_name).find(|decoder| decoder.id() == id)
}

/// All of them, as FFmpeg's option wants it.
pub(super) fn decoder_names() -> String {
    all().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_codecs_are_allowed_and_strange_ones_are_not() {
        for name in ["h264", "hevc", "av1", "vp9", "aac", "opus", "mp3", "dts", "subrip", "gif"] {
            assert!(allows_codec(name), "{name}");
        }
        for name in ["svg", "xbm", "vvc1", "ansi", "bintext", "smacker", ""] {
            assert!(!allows_codec(name), "{name}");
        }
    }
}

//! A source, opened without trust: no protocol, only known containers and codecs, bounded probing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use ffmpeg_next as ffmpeg;
use ffmpeg_next::codec::decoder::Opened;
use ffmpeg_next::ffi;
use ffmpeg_next::format::context::StreamIo;
use ffmpeg_next::{Packet, Rational};

use crate::Error;
use crate::error::{ff, io};
use crate::timeline::{Jump, Timeline};

mod allowed;

pub use allowed::allows_codec;

/// More tracks than this are refused.
pub const MAX_STREAMS: u32 = 32;
/// Pixels of a frame above which a decoder refuses.
pub const MAX_PIXELS: i64 = 8_192 * 8_192;

/// Bytes that FFmpeg may read to find out what is in the file.
const PROBE_BYTES: &str = "10000000";
/// Microseconds of media that it may look at.
const ANALYZE_US: &str = "10000000";
/// Size of one read of the file.
const READ_BYTES: usize = 256 * 1024;

/// An opened source.
pub struct Input {
    file: Arc<File>,
    size_bytes: u64,
    context: ffmpeg::format::context::Input,
    touched: bool,
    timeline: Timeline,
}

impl Input {
    /// Opens a file that can be sought in. Its own position is neither used nor moved.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when it is no known medium or has too many tracks, [`Error::Io`] when
    /// the file cannot be read.
    pub fn open(file: File) -> Result<Self, Error> {
        init();
        let size_bytes = file.metadata().map_err(io("read the size of the source"))?.len();
        let file = Arc::new(file);
        let context = demuxer(&file, size_bytes)?;
        Ok(Self { file, size_bytes, context, touched: false, timeline: Timeline::default() })
    }

    /// Size of the file.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The demuxer, for reading what it says.
    #[must_use]
    pub fn context(&self) -> &ffmpeg::format::context::Input {
        &self.context
    }

    /// The demuxer, for reading packets and for seeking.
    pub fn context_mut(&mut self) -> &mut ffmpeg::format::context::Input {
        self.touched = true;
        &mut self.context
    }

    /// Goes back to the first packet, whatever was read before.
    ///
    /// # Errors
    ///
    /// As [`Input::open`].
    pub fn rewind(&mut self) -> Result<(), Error> {
        if self.touched {
            if !self.seek_to_first() {
                self.context = demuxer(&self.file, self.size_bytes)?;
            }
            self.touched = false;
        }
        Ok(())
    }

    /// Seeks to the first packet where that is sure to find it: in MP4 and QuickTime, whose list of
    /// all packets may take longer to be read than what is wanted of the file. Many other formats
    /// do not find their first packet again.
    fn seek_to_first(&mut self) -> bool {
        if !self.context.format().name().starts_with("mov,") {
            return false;
        }
        // The demuxer takes all other tracks to the same time, so the one that begins first leads.
        let starts = self.context.streams().map(|stream| (first_entry(&stream), stream.index()));
        let Some(starts) = starts.map(|(first, index)| Some((first?, index))).collect() else {
            // A track without packets, or fragments that are found as they are read.
            return false;
        };
        let starts: Vec<((i64, i64), usize)> = starts;
        let Some(((_, stamp), leading)) = starts.into_iter().min() else { return false };
        let leading = i32::try_from(leading).unwrap_or(-1);
        #[expect(unsafe_code, reason = "seeking by stream has no safe wrapper")]
        // SAFETY: the context is open and held exclusively.
        let code = unsafe {
            let context = self.context.as_mut_ptr();
            ffi::avformat_seek_file(context, leading, i64::MIN, stamp, stamp, 0)
        };
        code >= 0
    }

    /// Puts the time stamps of all packets that are read from now on in place.
    pub(crate) fn follow(&mut self, jumps: &[Jump]) {
        self.timeline = Timeline::new(jumps);
    }

    /// Reads the next packet of the wanted tracks.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<(), ffmpeg::Error> {
        // FFmpeg forgets what the packet held, and with it the memory, unless it is let go first.
        *packet = Packet::empty();
        packet.read(self.context_mut())?;
        let base = self.context.stream(packet.stream()).map(|stream| stream.time_base());
        self.timeline.place(packet, base.unwrap_or(Rational::new(1, 1)));
        Ok(())
    }

    /// Reads bytes of the file itself.
    pub(crate) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset)
    }

    /// Opens the decoder of a track with so many threads.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the codec is not allowed, [`Error::Ffmpeg`] when it does not open.
    pub fn decoder(&self, track: usize, threads: u32) -> Result<Opened, Error> {
        let stream = self
            .context
            .stream(track)
            .ok_or_else(|| Error::plan(format!("the source has no track {track}")))?;
        let parameters = stream.parameters();
        let codec = allowed::decoder(parameters.id()).ok_or_else(|| {
            Error::unusable(format!("the codec {} is not supported", parameters.id().name()))
        })?;
        let mut context = ffmpeg::codec::Context::from_parameters(parameters)
            .map_err(ff("read the codec's parameters"))?;
        context.set_threading(ffmpeg::codec::threading::Config {
            kind: ffmpeg::codec::threading::Type::Frame,
            ..ffmpeg::codec::threading::Config::count(threads as usize)
        });
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(stream.time_base());
        #[expect(unsafe_code, reason = "FFmpeg's size limit has no safe setter")]
        // SAFETY: the context is ours alone and not open yet.
        unsafe {
            (*decoder.as_mut_ptr()).max_pixels = MAX_PIXELS;
        }
        decoder.open_as(codec).map_err(ff(format!("open the decoder {}", codec.name())))
    }

    /// Tells the demuxer which tracks are wanted; it skips the others where it can.
    pub(crate) fn select(&mut self, wanted: &[usize]) {
        for index in 0..self.context.nb_streams() as usize {
            let discard = if wanted.contains(&index) {
                ffi::AVDiscard::AVDISCARD_DEFAULT
            } else {
                ffi::AVDiscard::AVDISCARD_ALL
            };
            let Some(mut stream) = self.context.stream_mut(index) else { continue };
            #[expect(unsafe_code, reason = "FFmpeg's discard has no safe setter")]
            // SAFETY: the stream belongs to the context that we hold exclusively.
            unsafe {
                (*stream.as_mut_ptr()).discard = discard;
            }
        }
    }
}

/// The first packet's time by the container's list, in microseconds and as it stands there.
#[expect(unsafe_code, reason = "the index has no safe getter")]
fn first_entry(stream: &ffmpeg::format::stream::Stream) -> Option<(i64, i64)> {
    // SAFETY: the stream is borrowed, and the entry is read at once.
    let stamp =
        unsafe { ffi::avformat_index_get_entry(stream.as_ptr().cast_mut(), 0).as_ref()?.timestamp };
    Some((crate::time::micros(stamp, stream.time_base()), stamp))
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// Sets FFmpeg up, once; it must not write to standard error, which belongs to the caller.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Only fails when FFmpeg was built without its own tables.
        let _ = ffmpeg::init();
        ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
    });
}

fn demuxer(file: &Arc<File>, size_bytes: u64) -> Result<ffmpeg::format::context::Input, Error> {
    let failed = Arc::new(AtomicBool::new(false));
    let reader =
        Reader { file: Arc::clone(file), size_bytes, position: 0, failed: Arc::clone(&failed) };
    let stream = StreamIo::from_read_seek_with_capacity(reader, READ_BYTES)
        .map_err(ff("make a reader of the source"))?;
    let mut context = ffmpeg::format::input_from_stream(stream, None, Some(options()))
        .map_err(|error| refused(error, failed.load(Ordering::Relaxed)))?;
    if context.nb_streams() > MAX_STREAMS {
        let count = context.nb_streams();
        return Err(Error::unusable(format!("{count} tracks, more than {MAX_STREAMS}")));
    }
    name_webvtt(&mut context);
    Ok(context)
}

/// Matroska's `S_TEXT/WEBVTT`, which mkvmerge writes, is unknown to FFmpeg before 6.1; of all text
/// and picture subtitles of Matroska it is the only such one, and its blocks are a cue's text.
fn name_webvtt(context: &mut ffmpeg::format::context::Input) {
    if !context.format().name().starts_with("matroska") {
        return;
    }
    for index in 0..context.nb_streams() as usize {
        let Some(mut stream) = context.stream_mut(index) else { continue };
        let parameters = stream.parameters();
        let unnamed = parameters.medium() == ffmpeg::media::Type::Subtitle
            && parameters.id() == ffmpeg::codec::Id::None;
        if unnamed {
            #[expect(unsafe_code, reason = "a stream's codec has no safe setter")]
            // SAFETY: the stream and its parameters belong to the context that we hold exclusively.
            unsafe {
                (*(*stream.as_mut_ptr()).codecpar).codec_id = ffi::AVCodecID::AV_CODEC_ID_WEBVTT;
            }
        }
    }
}

/// FFmpeg's answers here mean "this is no medium", save for a disk that does not read: it says EIO
/// of damaged files too.
fn refused(source: ffmpeg::Error, failed: bool) -> Error {
    if failed {
        let source = ffmpeg::Error::Other { errno: libc::EIO };
        return Error::Ffmpeg { doing: "read the source".into(), source };
    }
    Error::unusable(format!("not a known medium, or damaged ({source})"))
}

fn options() -> ffmpeg::Dictionary<'static> {
    let mut options = ffmpeg::Dictionary::new();
    options.set("protocol_whitelist", "");
    options.set("format_whitelist", allowed::DEMUXERS);
    options.set("codec_whitelist", &allowed::decoder_names());
    options.set("probesize", PROBE_BYTES);
    options.set("analyzeduration", ANALYZE_US);
    // One above ours: FFmpeg's own refusal cannot be told from lack of memory.
    options.set("max_streams", "64");
    options
}

/// Reads by position, so that several demuxers can share one descriptor.
struct Reader {
    file: Arc<File>,
    size_bytes: u64,
    position: u64,
    /// The disk did not read.
    failed: Arc<AtomicBool>,
}

impl Read for Reader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size_bytes {
            return Ok(0);
        }
        let read = self.file.read_at(bytes, self.position);
        let read = read.inspect_err(|_| self.failed.store(true, Ordering::Relaxed))?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.size_bytes.checked_add_signed(by),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn playlists_are_not_followed() {
        let hls =
            b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
        let concat = b"ffconcat version 1.0\nfile /etc/passwd\n";
        let sdp =
            b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n";
        for bytes in [&hls[..], concat, sdp] {
            let answer = Input::open(file(bytes));
            assert!(matches!(answer, Err(Error::Unusable { .. })), "{answer:?}");
        }
    }

    #[test]
    fn only_a_disk_that_does_not_read_is_worth_another_attempt() {
        let said = ffmpeg::Error::Other { errno: libc::EIO };
        assert!(!refused(said, false).is_transient());
        assert!(refused(ffmpeg::Error::InvalidData, true).is_transient());
    }

    #[test]
    fn what_is_no_medium_is_refused_for_good() {
        for bytes in [&b""[..], b"hello", &[0; 4096], b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
        {
            let error = Input::open(file(bytes)).unwrap_err();
            assert!(!error.is_transient(), "{error}");
        }
    }
}
